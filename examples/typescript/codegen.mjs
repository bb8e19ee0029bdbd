// Types of the screens, and the screens by their ids, from the schema as it is printed.
// Scalars are what their descriptions in the schema say: a Decimal stays a text, since a number would round it.

/** @type {import("@graphql-codegen/cli").CodegenConfig} */
export default {
  schema: "../../graphql_schema/schema.graphql",
  documents: ["../screens/*.graphql"],
  emitLegacyCommonJSImports: false,
  generates: {
    "src/generated/": {
      preset: "client",
      // persisted-documents.json is a file that SUBMETER_GRAPHQL_DOCUMENTS can name.
      presetConfig: { persistedDocuments: { hashAlgorithm: "sha256" } },
      config: {
        documentMode: "string",
        enumsAsTypes: true,
        strictScalars: true,
        useTypeImports: true,
        scalars: {
          Base64: "string",
          BigInt: "number",
          Date: "string",
          DateTime: "string",
          Decimal: "string",
          Month: "string",
        },
      },
    },
  },
};
