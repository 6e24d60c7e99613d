// Drives a real browser for tests written in Python: a line of JSON in, a line of JSON out.
//
// {"id": 1, "page": "p1", "call": "click", "args": ["role=button[name=\"Pause\"]"]} is answered with
// {"id": 1, "value": null} or {"id": 1, "error": "..."}. Selectors are Playwright's.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const WEB = new URL("../../mission_control/package.json", import.meta.url);
const { chromium } = createRequire(WEB)("playwright-core");
const AXE = createRequire(WEB).resolve("axe-core");
const FLAGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];
const browser = await chromium.launch({ executablePath: process.argv[2], args: FLAGS });
const pages = new Map();
let count = 0;

/** What a page must not do: say errors, fail to load something, ask anybody else. */
function watched(page) {
  const seen = { console: [], failed: [], hosts: new Set() };
  page.on("console", (message) => message.type() === "error" && seen.console.push(message.text()));
  page.on("pageerror", (error) => seen.console.push(String(error)));
  page.on("requestfailed", (request) => {
    // A page that is left calls its requests off.
    const reason = request.failure()?.errorText ?? "";
    if (reason !== "net::ERR_ABORTED") seen.failed.push(`${request.url()} ${reason}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) seen.failed.push(`${response.url()} ${response.status()}`);
  });
  page.on("request", (request) => seen.hosts.add(new URL(request.url()).host));
  page.on("websocket", (socket) => seen.hosts.add(new URL(socket.url()).host));
  return seen;
}

async function open(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  count += 1;
  pages.set(`p${count}`, { context, page, seen: watched(page) });
  return `p${count}`;
}

const calls = {
  goto: ({ page }, url) => page.goto(url).then(() => null),
  reload: ({ page }) => page.reload().then(() => null),
  back: ({ page }) => page.goBack().then(() => null),
  url: ({ page }) => page.url(),
  click: ({ page }, selector) => page.locator(selector).first().click(),
  fill: ({ page }, selector, text) => page.locator(selector).first().fill(text),
  select: ({ page }, selector, value) => page.locator(selector).first().selectOption(value),
  press: ({ page }, key) => page.keyboard.press(key),
  focus: ({ page }, selector) => page.locator(selector).first().focus(),
  wheel: ({ page }, selector, down) =>
    page.locator(selector).first().hover().then(() => page.mouse.wheel(0, down)),
  wait: ({ page }, selector, state) => page.locator(selector).first().waitFor({ state }),
  count: ({ page }, selector) => page.locator(selector).count(),
  texts: ({ page }, selector) => page.locator(selector).allInnerTexts(),
  attribute: ({ page }, selector, name) => page.locator(selector).first().getAttribute(name),
  evaluate: ({ page }, script, argument) => page.evaluate(script, argument),
  viewport: ({ page }, width, height) => page.setViewportSize({ width, height }),
  media: ({ page }, options) => page.emulateMedia(options),
  screenshot: ({ page }, path) => page.screenshot({ path }).then(() => null),
  mouse: ({ page }, action, ...rest) => page.mouse[action](...rest),
  heap: async ({ page }) => {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("HeapProfiler.collectGarbage");
    const { usedSize } = await devtools.send("Runtime.getHeapUsage");
    await devtools.detach();
    return usedSize;
  },
  seen: ({ seen }) => ({ ...seen, hosts: [...seen.hosts] }),
  axe: async ({ page }) => {
    await page.evaluate(axeSource);
    const { violations } = await page.evaluate("axe.run({ resultTypes: ['violations'] })");
    return violations.map(({ id, impact, nodes }) => ({
      id,
      impact,
      where: nodes.map((node) => node.target.join(" ")),
      why: nodes[0]?.failureSummary ?? "",
    }));
  },
  close: async ({ context }) => {
    await context.close();
    return null;
  },
};

const { readFile } = await import("node:fs/promises");
// As a value and not as a script element: the page's own policy allows no other scripts.
const axeSource = await readFile(AXE, "utf8");

async function answer({ id, page, call, args }) {
  try {
    const value = call === "open" ? await open(...args) : await calls[call](pages.get(page), ...args);
    return { id, value: value ?? null };
  } catch (error) {
    return { id, error: String(error?.message ?? error) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
}
await browser.close();
