// The examples of each role: files of examples/<role>/, in the order of their names, a tab each.
const FILES = import.meta.glob("../examples/*/*.graphql", { query: "?raw", import: "default", eager: true });
const VARIABLES = import.meta.glob("../examples/*/*.json", { query: "?raw", import: "default", eager: true });

export function examplesOf(role) {
  const folder = `../examples/${role.toLowerCase()}/`;
  return Object.keys(FILES)
    .filter((path) => path.startsWith(folder))
    .sort()
    .map((path) => ({ query: FILES[path], variables: VARIABLES[path.replace(/graphql$/, "json")] ?? "" }));
}
