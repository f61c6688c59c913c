// The waiting page's script in a pretended browser: node --test edge/waiting
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const source = readFileSync(new URL("waiting.js", import.meta.url), "utf8");
const eventId = "0193c000-0000-7000-8000-000000000001";

// A receipt as the server writes it, as far as the page reads it.
const receiptOf = (position, voidsBefore) => {
  const bytes = Buffer.alloc(60);
  bytes.writeUIntBE(position, 3, 6);
  bytes.writeUIntBE(voidsBefore, 9, 6);
  return bytes.toString("base64url");
};

class Element {
  textContent = ""; hidden = false; lang = ""; style = {}; attributes = {}; listeners = {};
  offsetParent = null;
  setAttribute(name, value) { this.attributes[name] = value; }
  addEventListener(name, run) { this.listeners[name] = run; }
}

// Runs the page against `answer(method, path, body)`; timers run by hand.
const open = async (answer, language = "ko-KR", stored = {}) => {
  const elements = {};
  const calls = [];
  const timers = [];
  const location = { pathname: "/vwr/" + eventId, assigned: "", assign(to) { this.assigned = to; } };
  const context = {
    location,
    navigator: { language },
    atob,
    document: {
      documentElement: { lang: "" }, title: "", hidden: false,
      getElementById: (id) => (elements[id] ??= new Element()),
      addEventListener() {},
    },
    localStorage: {
      getItem: (key) => stored[key] ?? null,
      setItem: (key, value) => { stored[key] = value; },
      removeItem: (key) => { delete stored[key]; },
    },
    setTimeout: (run, after) => timers.push({ run, after }),
    clearTimeout: () => {},
    fetch: async (url, options) => {
      const path = url.replace("/vwr-api/vwr", "");
      calls.push(options.method + " " + path);
      const [status, body] = answer(options.method, path, options.body);
      return { ok: status < 400, status, headers: { get: () => null }, json: async () => body };
    },
  };
  vm.runInNewContext(source, context);
  const settle = () => new Promise((done) => setImmediate(done));
  await settle();
  return {
    elements, calls, timers, location, stored,
    async tick() { timers.pop().run(); await settle(); },
  };
};

const status = (more) => [200, { isActive: true, state: "open", epoch: 1, serving: 0, voidsServed: 0,
                                 rate: 600, soldOut: false, ...more }];
const place = (position, voids, ahead) =>
  [201, { requestId: receiptOf(position, voids), position, epoch: 1, serving: 0, ahead,
          pollAfterSeconds: 2 }];

test("it takes one number, polls the public state, and enters when it is served", async () => {
  let serving = 0;
  const page = await open((method, path) => {
    if (path.startsWith("/status")) return status({ serving });
    if (path.startsWith("/assign")) return place(120, 20, 100);
    return [200, { admitted: true, token: "t" }];
  });
  assert.equal(page.elements.number.textContent, "120");
  assert.equal(page.elements.ahead.textContent, "99명");
  serving = 60;
  await page.tick();
  assert.equal(page.elements.ahead.textContent, "39명");
  serving = 120;
  await page.tick();
  assert.equal(page.location.assigned, "/queue/" + eventId);
  assert.deepEqual(page.calls.filter((call) => call.startsWith("POST")).length, 1);
  assert.equal(page.calls.filter((call) => call.includes("/check/")).length, 1);
});

test("it shows the receipt it kept", async () => {
  const receipt = receiptOf(7, 0);
  let shown = "";
  await open((method, path, body) => {
    if (path.startsWith("/status")) return status();
    shown = JSON.parse(body).receipt;
    return place(7, 0, 7);
  }, "en-US", { ["urr-receipt:" + eventId]: receipt });
  assert.equal(shown, receipt);
});

test("it says that it is sold out, in the reader's language", async () => {
  const answer = (method, path) => path.startsWith("/status") ? status({ soldOut: true }) : place(1, 0, 1);
  const korean = await open(answer);
  assert.equal(korean.elements.message.textContent, "매진되었습니다.");
  const english = await open(answer, "en-GB");
  assert.equal(english.elements.message.textContent, "Sold out.");
  english.elements.language.listeners.click();
  assert.equal(english.elements.message.textContent, "매진되었습니다.");
});

test("it offers a new number when the room was restarted", async () => {
  let epoch = 1;
  let numbers = 0;
  const page = await open((method, path) => {
    if (path.startsWith("/status")) return status({ epoch });
    numbers += 1;
    return [201, { ...place(5, 0, 5)[1], epoch }];
  }, "en-US");
  epoch = 2;
  await page.tick();
  assert.match(page.elements.message.textContent, /restarted/);
  assert.equal(page.elements.action.hidden, false);
  assert.equal(numbers, 1);
  page.elements.action.listeners.click();
  await new Promise((done) => setImmediate(done));
  assert.equal(numbers, 2);
});

test("it keeps the number and tries again when the connection is lost", async () => {
  let broken = false;
  const page = await open((method, path) => {
    if (broken) throw new TypeError("network");
    return path.startsWith("/status") ? status() : place(5, 0, 5);
  }, "en-US");
  broken = true;
  await page.tick();
  assert.match(page.elements.message.textContent, /connection was lost/);
  assert.equal(page.elements.number.textContent, "5");
  broken = false;
  await page.tick();
  assert.doesNotMatch(page.elements.message.textContent, /lost/);
});

test("it goes straight on while the room is off", async () => {
  const page = await open((method, path) => {
    if (path.startsWith("/status")) return status({ isActive: false, state: "off" });
    if (path.startsWith("/assign")) return place(0, 0, 0);
    return [200, { admitted: true, token: "t" }];
  });
  assert.equal(page.location.assigned, "/queue/" + eventId);
});

test("whoever has a number waits on when the room is not there for a moment", async () => {
  let lost = false;
  const page = await open((method, path) => {
    if (lost) return [404, { code: "NOT_FOUND" }];
    return path.startsWith("/status") ? status() : place(5, 0, 5);
  }, "en-US");
  lost = true;
  await page.tick();
  assert.match(page.elements.message.textContent, /busy/);
  lost = false;
  await page.tick();
  assert.equal(page.elements.number.textContent, "5");
  assert.doesNotMatch(page.elements.message.textContent, /busy/);
});

test("a stranger is told that there is no such room, and what a stranger keeps at sell-out", async () => {
  const nowhere = await open(() => [404, { code: "NOT_FOUND" }], "en-US");
  assert.match(nowhere.elements.message.textContent, /no such/);
  const late = await open(() => status({ soldOut: true, state: "soldOut" }), "en-US");
  assert.doesNotMatch(late.elements.advice.textContent, /keep your number/);
});

test("the wait is told in one unit, and not at all before the sale", async () => {
  let state = "open";
  const page = await open((method, path) =>
    path.startsWith("/status") ? status({ state, rate: 500 }) : place(36_213, 0, 36_213), "en-US");
  assert.equal(page.elements.wait.textContent, "about 1.0–1.5 h");
  state = "prequeue";
  await page.tick();
  assert.equal(page.elements["row-wait"].hidden, true);
});
