// GraphiQL in a headless Chromium that reaches this server and nothing else: signs in as an analyst, runs an
// example, downloads the CSV, opens the documentation and a dialog. Prints what it saw as JSON; any error of
// the console, violation of the Content-Security-Policy or request to another host is in `faults`.
//
//     node check/browser.mjs <address> <email> <password> <folder for the screenshot and the CSV>
import { join } from "node:path";
import { chromium } from "playwright-core";

const [address, email, password, folder] = process.argv.slice(2);
const faults = [];
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    `--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE ${new URL(address).hostname}`,
  ],
});
const page = await browser.newPage({ viewport: { width: 1500, height: 900 }, acceptDownloads: true });
try {
  page.setDefaultTimeout(15_000);
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`page: ${error.message}`));
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (!["data:", "blob:"].includes(protocol) && host !== new URL(address).host)
      faults.push(`request: ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) faults.push(`status ${response.status()}: ${response.url()}`);
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`violates ${event.violatedDirective}: ${event.blockedURI}`);
    });
  });

  await page.goto(new URL("/graphql", address).href);
  await page.getByPlaceholder("E-mail").fill(email);
  await page.getByPlaceholder("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText(`${email} (analyst)`).waitFor();
  const tabs = await page.getByRole("tab").allTextContents();
  await page.getByRole("button", { name: /Execute query/ }).click();
  await page.locator(".result-window").getByText('"median"').first().waitFor();
  const answer = await page.locator(".result-window .CodeMirror").evaluate((node) => node.CodeMirror.getValue());
  await page.locator(".graphiql-plugin").getByText("AnalysedResidence", { exact: true }).waitFor();
  await page.screenshot({ path: join(folder, "graphiql.png") });

  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download CSV" }).click(),
  ]);
  const csv = join(folder, file.suggestedFilename());
  await file.saveAs(csv);

  // What adds elements while it is open: a dialog, a menu, another tab, the documentation of a type.
  await page.getByRole("button", { name: /short keys/i }).click();
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("tab").nth(1).click();
  await page.locator(".graphiql-plugin").getByText("Query", { exact: true }).click();
  await page.locator(".graphiql-plugin").getByText("analysis", { exact: true }).waitFor();
  await page.screenshot({ path: join(folder, "documentation.png") });
  console.log(JSON.stringify({ tabs, answer: JSON.parse(answer), csv, faults }));
} catch (failure) {
  await page.screenshot({ path: join(folder, "failure.png") });
  console.log(JSON.stringify({ failure: failure.message, faults }));
  process.exitCode = 1;
} finally {
  await browser.close();
}
