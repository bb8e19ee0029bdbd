// The tables of statistics as files, by `POST /export`.
import { useState } from "react";
import { download } from "./api.js";

const TABLES = ["consumption", "leaks", "meters", "completeness"];

export function Downloads({ token }) {
  const [table, setTable] = useState(TABLES[0]);
  const [byResidence, setByResidence] = useState(false);
  const [message, setMessage] = useState("");

  async function save(accept) {
    setMessage("");
    try {
      await download(table, { byResidence }, token, accept);
    } catch (failure) {
      setMessage(failure.message);
    }
  }

  return (
    <div className="downloads">
      <select aria-label="Table" value={table} onChange={(event) => setTable(event.target.value)}>
        {TABLES.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <label>
        <input type="checkbox" checked={byResidence} onChange={(event) => setByResidence(event.target.checked)} /> by
        residence
      </label>
      <button type="button" onClick={() => save("text/csv")}>
        Download CSV
      </button>
      <button type="button" onClick={() => save("application/vnd.apache.arrow.stream")}>
        Download Arrow
      </button>
      <span role="alert">{message}</span>
    </div>
  );
}
