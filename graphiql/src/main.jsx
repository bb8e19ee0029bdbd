// The page: whoever is signed in above, GraphiQL with that role's examples below.
import { setNonce } from "get-nonce";
import { createRoot } from "react-dom/client";
import { useEffect, useState } from "react";
import { GraphiQLInterface, GraphiQLProvider } from "graphiql";
import { DOC_EXPLORER_PLUGIN, DocExplorerContextProvider } from "@graphiql/plugin-doc-explorer";
import { HISTORY_PLUGIN, HistoryContextProvider } from "@graphiql/plugin-history";
import "graphiql/style.css";
import "./page.css";
import { ANONYMOUS, keep, ask, session, storageOf } from "./api.js";
import { examplesOf } from "./examples.js";
import { Downloads } from "./Downloads.jsx";
import { SignIn } from "./SignIn.jsx";

// Dialogs and menus add a style element while they are open; it is allowed by this answer's nonce.
setNonce(document.querySelector("meta[property=csp-nonce]").nonce);

const signedIn = session();
const role = signedIn?.role ?? ANONYMOUS;

// GraphiQL keeps its tabs in the memory of the page: whoever signs in or out begins with another page.
function become(next) {
  keep(next);
  location.reload();
}

// Once the provider knows which pane is open: GraphiQL looks once, when it is made.
function Explorer() {
  const [ready, setReady] = useState(false);
  useEffect(() => setReady(true), []);
  return ready && <GraphiQLInterface isHeadersEditorEnabled={false} />;
}

function Page() {
  return (
    <>
      <header className="bar">
        <strong>Submeter</strong>
        {role === "ANALYST" && <Downloads token={signedIn.token} />}
        <SignIn signedIn={signedIn} onChange={become} />
      </header>
      <main className="explorer">
        <GraphiQLProvider
          fetcher={(parameters) => ask(parameters, signedIn?.token)}
          storage={storageOf(role)}
          defaultTabs={examplesOf(role)}
          plugins={[DOC_EXPLORER_PLUGIN, HISTORY_PLUGIN]}
          referencePlugin={DOC_EXPLORER_PLUGIN}
          visiblePlugin={DOC_EXPLORER_PLUGIN}
          schemaDescription
          inputValueDeprecation
        >
          <HistoryContextProvider>
            <DocExplorerContextProvider>
              <Explorer />
            </DocExplorerContextProvider>
          </HistoryContextProvider>
        </GraphiQLProvider>
      </main>
    </>
  );
}

createRoot(document.getElementById("page")).render(<Page />);
