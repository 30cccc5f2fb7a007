// node --test: a provider on this machine, a client as SDKs are shaped, and keys that die while they are used.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";

import { deadKey, fromEnvironment, resilientClient } from "./resilient-client.mjs";

const BLUE = "sk-blue-0001";
const GREEN = "sk-green-0002";
const provider = { live: new Set(), heard: [], answer: null, stream: null };
let server;
let url;

before(async () => {
  server = createServer((request, response) => {
    const key = request.headers.authorization.replace("Bearer ", "");
    provider.heard.push(key);
    const [status, body] = provider.answer ?? (provider.live.has(key) ? [200, { text: "hello" }] : refused(key));
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${server.address().port}/`;
});
after(() => server.close());
beforeEach(() => Object.assign(provider, { live: new Set([BLUE, GREEN]), heard: [], answer: null }));

const refused = (key) => [401, { error: { code: "invalid_api_key", message: `Incorrect API key: …${key.slice(-4)}` } }];

class ApiError extends Error {
  constructor(status, body) {
    super(body.error.message);
    Object.assign(this, { status, error: body, code: body.error.code });
  }
}

// Shaped as the SDKs are: resources with methods that give promises or streams.
class Sdk {
  constructor(apiKey) {
    this.apiKey = apiKey;
    this.baseURL = url;
    this.chat = { completions: { create: (asked) => this.create(asked), stream: () => this.stream() } };
  }
  withOptions() {
    return new Sdk(this.apiKey);
  }
  async create() {
    const response = await fetch(url, { headers: { authorization: `Bearer ${this.apiKey}` } });
    const body = await response.json();
    if (response.status !== 200) throw new ApiError(response.status, body);
    return body.text;
  }
  async *stream() {
    yield await this.create();
    throw Object.assign(new Error("broke off"), { status: undefined });
  }
}

function planted(keys = [BLUE, GREEN], options = {}) {
  const switches = [];
  const client = resilientClient((key) => new Sdk(key), keys, { onSwitch: (event) => switches.push(event), ...options });
  return { client, switches };
}

test("while the key lives it alone is used", async () => {
  const { client, switches } = planted();
  assert.equal(await client.chat.completions.create({}), "hello");
  assert.equal(client.baseURL, url);
  assert.deepEqual(provider.heard, [BLUE]);
  assert.deepEqual(switches, []);
});

test("a dead key costs one call once, and the next one stays", async () => {
  const { client, switches } = planted();
  provider.live = new Set([GREEN]);
  for (let turn = 0; turn < 3; turn++) assert.equal(await client.chat.completions.create({}), "hello");
  assert.equal(await client.withOptions({ timeout: 5 }).chat.completions.create({}), "hello");
  assert.deepEqual(provider.heard, [BLUE, GREEN, GREEN, GREEN, GREEN]);
  assert.deepEqual(switches, [{ before: 1, after: 2, keys: 2, status: 401, code: "invalid_api_key" }]);
});

test("many calls at once meet one dead key and make one switch", async () => {
  const { client, switches } = planted();
  provider.live = new Set([GREEN]);
  const answers = await Promise.all(Array.from({ length: 20 }, () => client.chat.completions.create({})));
  assert.ok(answers.every((answer) => answer === "hello"));
  assert.equal(switches.length, 1);
});

test("when every key is dead the first refusal is thrown as it came, and nobody is hammered", async () => {
  const { client, switches } = planted();
  provider.live = new Set();
  await assert.rejects(client.chat.completions.create({}), /0001/);
  await assert.rejects(client.chat.completions.create({}), /0001/);
  assert.deepEqual(provider.heard, [BLUE, GREEN, BLUE]);
  assert.deepEqual(switches, []);
});

for (const status of [400, 402, 403, 404, 409, 422, 429, 500, 503, 529]) {
  test(`${status} never moves to another key`, async () => {
    const { client } = planted();
    provider.answer = [status, { error: { code: "other", message: "no" } }];
    await assert.rejects(client.chat.completions.create({}), { status });
    assert.deepEqual(provider.heard, [BLUE]);
  });
}

test("a 401 about the caller is thrown at once, and Gemini says 400 for a dead key", () => {
  assert.equal(deadKey({ status: 401, message: "Your IP address is not authorized" }), false);
  assert.equal(deadKey({ status: 401, message: "must be a member of an organization" }), false);
  assert.equal(deadKey({ status: 401, code: "missing_scope", message: "no" }), false);
  assert.equal(deadKey({ status: 401, code: null, message: "You have insufficient permissions. Missing scopes: model.request" }), false);
  assert.equal(deadKey({ status: 401, message: "Incorrect API key" }), true);
  assert.equal(deadKey({ status: 400, error: [{ error: { details: [{ reason: "API_KEY_INVALID" }] } }] }), true);
  assert.equal(deadKey({ status: 400, message: "no" }), false);
  assert.equal(deadKey(new TypeError("fetch failed")), false);
});

test("a stream falls back before its first item and is never begun again", async () => {
  const { client } = planted();
  provider.live = new Set([GREEN]);
  const received = [];
  await assert.rejects(async () => {
    for await (const item of client.chat.completions.stream({})) received.push(item);
  }, /broke off/);
  assert.deepEqual(received, ["hello"]);
  assert.deepEqual(provider.heard, [BLUE, GREEN]);
});

test("keys that change at their origin are used from then on", async () => {
  let keys = [BLUE];
  const { client, switches } = planted(() => keys);
  await client.chat.completions.create({});
  keys = [GREEN, BLUE];
  await client.chat.completions.create({});
  assert.deepEqual(provider.heard, [BLUE, GREEN]);
  assert.deepEqual(switches, [{ before: 1, after: 1, keys: 2, status: undefined, code: undefined }]);
});

test("the environment, in its order", () => {
  const given = (environment) => fromEnvironment("K", environment)();
  assert.deepEqual(given({ K_OLD: "o", K_NEW: "n" }), ["n", "o"]);
  assert.deepEqual(given({ K_V1: "1", K_v10: "10", K_V2: "2" }), ["10", "2", "1"]);
  assert.deepEqual(given({ K: "k", K_PRIMARY: "p", K_BACKUP: "b", K_NEW: " ", KEY: "x" }), ["p", "k", "b"]);
  assert.throws(() => given({ OTHER: "x" }), /neither K nor K_NEW/);
});
