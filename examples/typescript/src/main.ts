// Prints what two screens show: a resident's alerts, or a manager's residences with their alerts.
//
//     SUBMETER_URL=http://127.0.0.1:8000 SUBMETER_TOKEN=… node dist/main.js alerts|residences
//
// An alert is written by one function for both, since both screens select it by one fragment.
import { Client, Refused } from "./client.js";
import { type FragmentType, useFragment as read } from "./generated/fragment-masking.js";
import {
  AlertFieldsFragmentDoc,
  AlertsDocument,
  DwellingFieldsFragmentDoc,
  MeterFieldsFragmentDoc,
  ResidenceAlertsDocument,
  ResidenceFieldsFragmentDoc,
  ResidencesDocument,
} from "./generated/graphql.js";

function alertLine(masked: FragmentType<typeof AlertFieldsFragmentDoc>): string {
  const alert = read(AlertFieldsFragmentDoc, masked);
  const meter = read(MeterFieldsFragmentDoc, alert.meter);
  const loss = alert.lossM3 === null ? "" : `, ${alert.lossM3} m3`;
  return `${alert.title}${loss} (${meter?.serial ?? "dwelling"})`;
}

async function alerts(client: Client): Promise<string[]> {
  const { viewer } = await client.ask(AlertsDocument, {});
  return viewer.dwellings.flatMap((dwelling) => [
    read(DwellingFieldsFragmentDoc, dwelling).place,
    ...(dwelling.activeAlerts ?? []).map((alert) => `  ${alertLine(alert)}`),
  ]);
}

async function residences(client: Client): Promise<string[]> {
  const lines: string[] = [];
  const page = await client.ask(ResidencesDocument, { orderBy: "NAME" });
  for (const { node } of page.residences.edges) {
    const { id, code, name } = read(ResidenceFieldsFragmentDoc, node);
    lines.push(`${code} ${name}`);
    const { residence } = await client.ask(ResidenceAlertsDocument, { residence: id });
    for (const { node: alert } of residence?.activeAlerts?.edges ?? []) {
      lines.push(`  ${read(DwellingFieldsFragmentDoc, alert.dwelling).place}: ${alertLine(alert)}`);
    }
  }
  return lines;
}

const { SUBMETER_URL = "http://127.0.0.1:8000", SUBMETER_TOKEN, SUBMETER_BY_ID } = process.env;
const client = new Client(SUBMETER_URL, SUBMETER_TOKEN, SUBMETER_BY_ID === "yes");
try {
  const lines = process.argv[2] === "residences" ? await residences(client) : await alerts(client);
  console.log(lines.join("\n"));
} catch (refused) {
  if (!(refused instanceof Refused)) throw refused;
  console.error(refused.message);
  process.exitCode = 1;
}
