// Signing in by the API's own mutations: password, then a code where the account has a second factor.
import { useState } from "react";
import { ask } from "./api.js";

const SIGN_IN = `mutation SignIn($email: String!, $password: String!) {
  it: signIn(input: {email: $email, password: $password}) { __typename ... on SignedIn { token state } }
}`;
const VERIFY = `mutation Verify($code: String!) {
  it: verifySecondFactor(code: $code) { __typename ... on SignedIn { token state } }
}`;
const WHO = "query Who { viewer { role } }";
const REFUSED = {
  SignInRefused: "Wrong e-mail address or password.",
  AccountLocked: "The account is locked for a while after many attempts.",
  RateLimited: "Too many attempts: try again later.",
  CodeInvalid: "Wrong code.",
};

export function SignIn({ signedIn, onChange }) {
  const [message, setMessage] = useState("");
  const [waiting, setWaiting] = useState(null); // a session that still needs the code

  async function opened(query, variables, token) {
    const answer = await ask({ query, variables }, token);
    if (answer.errors) throw new Error(answer.errors[0].message);
    const { __typename: kind, ...found } = answer.data.it;
    if (kind !== "SignedIn") throw new Error(REFUSED[kind] ?? `Refused: ${kind}.`);
    return found;
  }

  async function submit(event) {
    event.preventDefault();
    const { email, password, code } = Object.fromEntries(new FormData(event.target));
    setMessage("");
    try {
      const found = waiting
        ? await opened(VERIFY, { code }, waiting.token)
        : await opened(SIGN_IN, { email, password });
      const address = waiting?.email ?? email;
      if (found.state === "MUST_VERIFY_SECOND_FACTOR") {
        setWaiting({ token: found.token, email: address });
        return;
      }
      const who = await ask({ query: WHO }, found.token);
      setWaiting(null);
      const role = who.data?.viewer?.role ?? "RESIDENT";
      onChange({ token: found.token, email: address, role, state: found.state });
    } catch (failure) {
      setMessage(failure.message);
    }
  }

  async function signOut() {
    await ask({ query: "mutation SignOut { signOut }" }, signedIn.token).catch(() => {});
    onChange(null);
  }

  if (signedIn)
    return (
      <div className="sign-in">
        {signedIn.state !== "READY" && (
          <span role="status">Before anything else: {signedIn.state.toLowerCase().replaceAll("_", " ")}.</span>
        )}
        <span>
          {signedIn.email} ({signedIn.role.toLowerCase()})
        </span>
        <button type="button" onClick={signOut}>
          Sign out
        </button>
      </div>
    );
  return (
    <form className="sign-in" onSubmit={submit}>
      <span role="status">{message}</span>
      {waiting ? (
        <input key="code" name="code" placeholder="Code of the authenticator" autoComplete="one-time-code" required autoFocus />
      ) : (
        <>
          <input key="email" name="email" type="email" placeholder="E-mail" autoComplete="username" required />
          <input key="password" name="password" type="password" placeholder="Password" autoComplete="current-password" required />
        </>
      )}
      <button type="submit">Sign in</button>
    </form>
  );
}
