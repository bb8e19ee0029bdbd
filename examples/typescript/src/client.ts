// Sends a screen and answers its data, typed. No library at run time: a document is its text and its id.
import type { TypedDocumentString } from "./generated/graphql.js";

/** What the server refuses: the codes of its errors. */
export class Refused extends Error {
  constructor(readonly codes: string[]) {
    super(codes.join(", "));
  }
}

type Answer<Result> = { data?: Result | null; errors?: { extensions: { code: string } }[] };

export class Client {
  constructor(
    readonly url: string,
    public token?: string,
    /** Send ids in place of texts: for a server that knows persisted-documents.json. */
    readonly byId = false,
  ) {}

  async ask<Result, Variables>(
    document: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): Promise<Result> {
    const headers: Record<string, string> = {
      "Content-Type": "application/json",
      Accept: "application/graphql-response+json, application/json",
    };
    if (this.token) headers["Authorization"] = `Bearer ${this.token}`;
    const id: unknown = document.__meta__?.["hash"];
    const sent = this.byId ? { documentId: `sha256:${id}` } : { query: document.toString() };
    const response = await fetch(`${this.url}/graphql`, {
      method: "POST",
      headers,
      body: JSON.stringify({ ...sent, variables }),
    });
    const answer = (await response.json()) as Answer<Result>;
    if (answer.errors) throw new Refused(answer.errors.map((one) => one.extensions.code));
    return answer.data as Result;
  }
}
