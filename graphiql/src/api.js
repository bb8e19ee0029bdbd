// Requests to the API of this very server, and the session, which lasts as long as the browser's tab.
export const ANONYMOUS = "ANONYMOUS";
const KEY = "submeter-session";

export function session() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

export function keep(signedIn) {
  if (signedIn) sessionStorage.setItem(KEY, JSON.stringify(signedIn));
  else sessionStorage.removeItem(KEY);
}

// What GraphiQL keeps (tabs, history, sizes) is each role's own, and gone with the tab of the browser.
export function storageOf(role) {
  const prefix = `graphiql ${role}: `;
  const names = () => Object.keys(sessionStorage).filter((name) => name.startsWith(prefix));
  return {
    get length() {
      return names().length;
    },
    getItem: (name) => sessionStorage.getItem(prefix + name),
    setItem: (name, value) => sessionStorage.setItem(prefix + name, value),
    removeItem: (name) => sessionStorage.removeItem(prefix + name),
    clear: () => names().forEach((name) => sessionStorage.removeItem(name)),
  };
}

function post(path, body, token, accept) {
  return fetch(path, {
    method: "POST",
    credentials: "omit", // the token of this page, not the cookie of a portal that is open beside it
    headers: {
      Accept: accept,
      "Content-Type": "application/json",
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify(body),
  });
}

export async function ask(parameters, token) {
  const response = await post("/graphql", parameters, token, "application/graphql-response+json, application/json");
  return response.json();
}

export async function download(query, parameters, token, accept) {
  const response = await post("/export", { query, parameters }, token, accept);
  if (!response.ok) throw new Error((await response.json()).message);
  const name = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1];
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name ?? query;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
