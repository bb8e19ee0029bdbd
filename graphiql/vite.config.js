// Builds the page into the Python package that serves it. Everything comes from the server itself: no address
// of another host, no inline script or style, so that a strict Content-Security-Policy holds.
import { defineConfig } from "vite";

export default defineConfig({
  base: "/graphiql/",
  html: { cspNonce: "CSP_NONCE" }, // the server writes a new one for each answer
  logLevel: "warn",
  build: {
    license: { fileName: "licenses.md" }, // of all that is packed in
    rolldownOptions: { checks: { moduleLevelDirective: false } }, // "use client" means nothing to a browser
    outDir: "../graphql_schema/graphiql/built",
    emptyOutDir: true,
    target: "es2022",
    sourcemap: false,
    chunkSizeWarningLimit: 3000,
    assetsInlineLimit: 0,
  },
});
