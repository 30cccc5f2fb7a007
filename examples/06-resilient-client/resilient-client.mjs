// A client that falls back to its next key when the provider refuses the one in use. No dependencies.
//
//   import OpenAI from "openai";
//   import { resilientClient, fromEnvironment } from "./resilient-client.mjs";
//
//   const client = resilientClient((apiKey) => new OpenAI({ apiKey }), fromEnvironment("OPENAI_API_KEY"));
//   await client.chat.completions.create({ model: "gpt-5", messages: [...] });
//
// While a key is rotated, both the old and the new one are given; whichever the provider refuses with
// 401, the other one answers. A call is repeated only when the key itself was refused, which is before
// the provider did anything; a stream that has begun is never begun again. Requests, answers and keys
// are never logged.

const ABOUT_THE_CALLER = ["ip address", "ip not authorized", "ip_not_authorized", "organization", "project"];
const ABOUT_A_SCOPE = ["missing_scope", "missing scopes"];
const SURELY_THE_KEY = new Set(["invalid_api_key", "authentication_error", "expired_api_key"]);
const ACCEPTED = new Set([400, 404, 409, 422, 429]);
const DERIVING = new Set(["withOptions", "with_options", "copy"]);

// Says whether the provider refused the key itself, so that another key is worth trying. Never 402, 403,
// 429, 5xx, a timeout or a lost connection: another key fares no better, or the request may have run.
export function deadKey(error) {
  const status = error?.status;
  const code = codeOf(error);
  if (status === 401) {
    if (SURELY_THE_KEY.has(code)) return true;
    const said = `${code ?? ""} ${error.message ?? ""}`.toLowerCase();
    return ![...ABOUT_THE_CALLER, ...ABOUT_A_SCOPE].some((words) => said.includes(words));
  }
  return status === 400 && JSON.stringify([code, error.error ?? null]).includes("API_KEY_INVALID");
}

function codeOf(error) {
  const inner = error?.error?.error ?? error?.error;
  return error?.code ?? inner?.code ?? inner?.type;
}

// Reads keys from NAME_NEW; NAME_V2, NAME_V1, … the highest first; NAME_PRIMARY; NAME; NAME_BACKUP; NAME_OLD.
export function fromEnvironment(name, environment = process.env) {
  const places = { _NEW: 0, _PRIMARY: 2, "": 3, _BACKUP: 4, _OLD: 5 };
  const rank = (variable) => {
    if (!variable.startsWith(name)) return null;
    const rest = variable.slice(name.length);
    if (Object.hasOwn(places, rest)) return [places[rest], 0];
    const numbered = /^_v(\d{1,9})$/i.exec(rest);
    return numbered ? [1, -Number(numbered[1])] : null;
  };
  return () => {
    const ranked = Object.entries(environment)
      .map(([variable, value]) => [rank(variable), (value ?? "").trim()])
      .filter(([place, value]) => place !== null && value !== "")
      .sort(([a], [b]) => a[0] - b[0] || a[1] - b[1]);
    const keys = [...new Set(ranked.map(([, value]) => value))];
    if (keys.length === 0) throw new Error(`neither ${name} nor ${name}_NEW, _V1, _PRIMARY, _BACKUP or _OLD is set`);
    return keys;
  };
}

// Gives a client that looks like the SDK's own.
//
// `make` gives the SDK's client for one key; `keys` is a list, or a function that gives the list as it is
// now. `onSwitch({ before, after, keys, status, code })` is called once for each change of the key in use;
// keys are named by their place, never by value. When every key is refused, the first refusal is thrown as
// it came. A key that died is tried again at most every `retryDeadAfter` milliseconds, and only when no
// other is left.
export function resilientClient(make, keys, { onSwitch, isDead = deadKey, retryDeadAfter = 60_000, now = Date.now } = {}) {
  const ring = new KeyRing(typeof keys === "function" ? keys : () => [...keys], { onSwitch, retryDeadAfter, now });
  const clients = new Map();
  const clientOf = (key) => {
    if (!clients.has(key)) clients.set(key, make(key));
    return clients.get(key);
  };
  return path({ ring, clientOf, isDead }, []);
}

class KeyRing {
  #origin;
  #options;
  #known = [];
  #active;
  #died = new Map();

  constructor(origin, options) {
    this.#origin = origin;
    this.#options = options;
  }

  candidates() {
    const found = [...new Set(this.#origin())];
    if (found.length === 0) throw new Error("no key was given");
    if (found.join("\n") !== this.#known.join("\n")) this.#adopt(found);
    const { now, retryDeadAfter } = this.#options;
    const fresh = found.filter((key) => key !== this.#active && !this.#died.has(key));
    const again = found.filter((key) => key !== this.#active && now() - this.#died.get(key) >= retryDeadAfter);
    return [this.#active, ...fresh, ...again];
  }

  #adopt(found) {
    const before = this.#active;
    const place = this.#known.indexOf(before) + 1;
    this.#died = new Map([...this.#died].filter(([key]) => found.includes(key)));
    this.#known = found;
    this.#active = found.find((key) => !this.#died.has(key)) ?? found[0];
    if (before !== undefined && before !== this.#active) this.#tell(place, undefined);
  }

  died(key) {
    this.#died.set(key, this.#options.now());
  }

  // Another key counts as the one in use only when it was accepted in place of one that had died.
  accepted(key, refusal) {
    this.#died.delete(key);
    if (key === this.#active || !this.#died.has(this.#active) || !this.#known.includes(key)) return;
    const place = this.#known.indexOf(this.#active) + 1;
    this.#active = key;
    this.#tell(place, refusal);
  }

  #tell(before, refusal) {
    const after = this.#known.indexOf(this.#active) + 1;
    const event = { before, after, keys: this.#known.length, status: refusal?.status, code: codeOf(refusal) };
    this.#options.onSwitch?.(event);
  }
}

// Attributes and calls are written down first and carried out on the client of whichever key works.
function path(owner, steps) {
  return new Proxy(function () {}, {
    get(_, name) {
      if (typeof name === "symbol" || name === "then") return undefined;
      const client = owner.clientOf(owner.ring.candidates()[0]);
      const value = follow(client, steps)?.[name];
      const leadsOn = typeof value === "function" || (typeof value === "object" && value !== null);
      return leadsOn ? path(owner, [...steps, { name }]) : value;
    },
    apply(_, __, given) {
      const called = [...steps.slice(0, -1), { ...steps.at(-1), given }];
      if (DERIVING.has(called.at(-1).name)) return path(owner, called);
      return new Call(owner, called);
    },
  });
}

function follow(client, steps) {
  return steps.reduce((at, { name, given }) => (given ? at[name](...given) : at[name]), client);
}

// A call that is made once, when it is first awaited or iterated over.
class Call {
  #owner;
  #steps;
  #answer;

  constructor(owner, steps) {
    this.#owner = owner;
    this.#steps = steps;
  }

  then(resolve, reject) {
    this.#answer ??= this.#through((made) => made);
    return this.#answer.then(resolve, reject);
  }

  catch(reject) {
    return this.then(undefined, reject);
  }

  finally(done) {
    return this.then().finally(done);
  }

  async *[Symbol.asyncIterator]() {
    const { rest, first } = await this.#through(async (made) => {
      const items = (made[Symbol.asyncIterator] ? made : await made)[Symbol.asyncIterator]();
      return { rest: items, first: await items.next() };
    });
    for (let item = first; !item.done; item = await rest.next()) yield item.value;
  }

  async #through(use) {
    const { ring, clientOf, isDead } = this.#owner;
    const tried = new Set();
    let original;
    for (let again = true; again; ) {
      again = false;
      for (const key of ring.candidates().filter((each) => !tried.has(each))) {
        tried.add(key);
        again = true; // keys may have been changed at their origin meanwhile
        try {
          const answer = await use(follow(clientOf(key), this.#steps));
          ring.accepted(key, original);
          return answer;
        } catch (error) {
          if (!isDead(error)) {
            if (ACCEPTED.has(error?.status)) ring.accepted(key, original);
            throw error;
          }
          ring.died(key);
          original ??= error;
        }
      }
    }
    throw original;
  }
}
