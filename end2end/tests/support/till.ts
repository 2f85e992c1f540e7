// A running `till demo` with its own directory, and the command line beside it.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

import { Sandbox } from "./sandbox.ts";

const run = promisify(execFile);
// The path is relative to `end2end`, where the tests start.
const BINARY = resolve(process.env.TILL_BIN ?? "../dist/till");
const START_MAX_MS = 60_000;
const STOP_MAX_MS = 15_000;

/** The content of the demo's ready file. */
export interface Ready {
  public_url: string;
  sandbox_url: string;
  ops_url: string;
  pay_link: string;
  merchant: string;
  provider_account: string;
  webhook_url: string;
  webhook_secret: string;
  sandbox_key: string;
  api_key: string;
  adyen_pay_link: string;
  adyen_merchant: string;
  adyen_api_key: string;
}

export interface Alert {
  kind: string;
  subject: string;
  detail: string;
  times: number;
}

export interface LinkOptions {
  merchant?: string;
  currency?: string;
  lines?: string[];
  ttl?: number;
  reusable?: boolean;
}

/** Settings of the developer's own shell must not leak into a test. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("TILL_"));
  return Object.fromEntries(kept);
}

/** A free port outside the range from which the system hands out ports, so that it is still free after a restart. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const probe = createServer();
    const free = await new Promise<boolean>((done) => {
      probe.once("error", () => done(false));
      probe.listen(port, "127.0.0.1", () => done(true));
    });
    probe.close();
    if (free) return port;
  }
}

export class Till {
  ready!: Ready;
  sandbox!: Sandbox;
  log = "";
  /** The log, without the text that the demo prints for its user. */
  private logged = "";
  private child?: ChildProcess;
  private readonly helpers: ChildProcess[] = [];
  /** The ids of the links made here, by address. */
  private readonly links = new Map<string, string>();

  private constructor(
    readonly dir: string,
    private binds: string[],
  ) {}

  /** Starts a demo. A demo that will be restarted needs fixed ports. */
  static async start(options: { keepPorts?: boolean } = {}): Promise<Till> {
    const dir = await mkdtemp(join(tmpdir(), "till-e2e-"));
    const port = async () => (options.keepPorts ? await freePort() : 0);
    const main = await port();
    const binds = ["--bind", `127.0.0.1:${main}`, "--ops-bind", `127.0.0.1:${await port()}`];
    binds.push("--sandbox-bind", `127.0.0.1:${await port()}`);
    if (main) binds.push("--public-url", `http://127.0.0.1:${main}`);
    const till = new Till(dir, binds);
    await till.boot();
    return till;
  }

  get database(): string {
    return `sqlite://${join(this.dir, "data", "till.db")}`;
  }

  private async boot(): Promise<void> {
    const file = join(this.dir, "ready.json");
    await rm(file, { force: true });
    const args = ["demo", "--ready-file", file, "--database-url", this.database, ...this.binds];
    this.child = this.launch(args);
    this.ready = JSON.parse(await this.appears(file, this.child));
    this.sandbox = new Sandbox(this.ready.sandbox_url, this.ready.sandbox_key);
  }

  private launch(args: string[]): ChildProcess {
    this.log += `\n$ till ${args.join(" ")}\n`;
    const child = spawn(BINARY, args, { env: environment(), stdio: ["ignore", "pipe", "pipe"] });
    const keep = (bytes: Buffer) => (this.log += bytes.toString());
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.stderr.on("data", (bytes: Buffer) => (this.logged += bytes.toString()));
    child.on("error", (error) => (this.log += String(error)));
    return child;
  }

  private async appears(file: string, child: ChildProcess): Promise<string> {
    const end = Date.now() + START_MAX_MS;
    while (Date.now() < end) {
      const text = await readFile(file, "utf8").catch(() => "");
      if (text) return text;
      if (child.exitCode !== null || child.pid === undefined) break;
      await pause(20);
    }
    throw new Error(`till did not start:\n${this.log}`);
  }

  /** The secrets, card numbers and addresses of checkouts found in the log. */
  leaks(): string[] {
    const secrets = [this.ready.adyen_api_key, this.ready.sandbox_key, this.ready.webhook_secret, this.ready.api_key];
    const patterns = [/\b4\d{3} ?\d{4} ?\d{4} ?\d{4}\b/g, /\/[cl]\/[0-9a-z]{26}/g, /whsec_\w+/g, /sk_(test|live)_\w+/g];
    const found = patterns.flatMap((pattern) => this.logged.match(pattern) ?? []);
    return [...secrets.filter((secret) => this.logged.includes(secret)), ...found];
  }

  /** Stops Till in an orderly way and returns the exit code. */
  async stop(): Promise<number | null> {
    return await this.end("SIGTERM");
  }

  /** Kills Till as a power failure would. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.child;
    this.child = undefined;
    return child ? await finish(child, signal) : null;
  }

  /** Starts Till again on the same data and addresses. */
  async startAgain(): Promise<void> {
    await this.boot();
  }

  /** Cleans up at the end of a test. */
  async dispose(): Promise<void> {
    await Promise.all([this.kill(), ...this.helpers.map((child) => finish(child, "SIGKILL"))]);
    await rm(this.dir, { recursive: true, force: true });
  }

  /** Runs another part of Till until the test ends, such as a sandbox of its own. */
  async beside(name: string, args: string[]): Promise<unknown> {
    const file = join(this.dir, `${name}.json`);
    const child = this.launch([...args, "--ready-file", file]);
    this.helpers.push(child);
    return JSON.parse(await this.appears(file, child));
  }

  /** Runs a command on the same data and reads its JSON. */
  async cli<T>(...args: string[]): Promise<T> {
    const common = ["--json", "--database-url", this.database, "--public-url", this.ready.public_url];
    const { stdout } = await run(BINARY, [...args, ...common], { env: environment() });
    return JSON.parse(stdout) as T;
  }

  async link(options: LinkOptions = {}): Promise<string> {
    const { merchant = this.ready.merchant, currency = "EUR", lines = ["Tea=5"], ttl, reusable } = options;
    const args = ["link", "add", "--merchant", merchant, "--currency", currency];
    for (const line of lines) args.push("--line", line);
    if (ttl) args.push("--session-ttl", String(ttl));
    if (reusable) args.push("--reusable");
    const { id, url } = await this.cli<{ id: string; url: string }>(...args);
    this.links.set(url, id);
    return url;
  }

  /** The session of a link, as if a shopper had acted on the link. Without an argument the link is a new one. */
  async session(of: LinkOptions | string = {}): Promise<string> {
    const link = typeof of === "string" ? of : await this.link(of);
    return (await this.cli<{ url: string }>("link", "session", this.links.get(link)!)).url;
  }

  /** Changes the database from outside, to simulate failures. Python includes SQLite. */
  async sql(statement: string): Promise<void> {
    const program = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], timeout=10); db.execute(sys.argv[2]); db.commit()";
    await run("python3", ["-c", program, this.database.slice("sqlite://".length), statement]);
  }

  async alerts(): Promise<Alert[]> {
    return await this.cli<Alert[]>("alerts");
  }

  /** The sum of a counter's values whose labels contain all of `labels`. */
  async metric(name: string, ...labels: string[]): Promise<number> {
    const text = await (await fetch(`${this.ready.ops_url}/metrics`)).text();
    const rows = text.split("\n").filter((row) => row.startsWith(`${name}{`) || row.startsWith(`${name} `));
    const fitting = rows.filter((row) => labels.every((label) => row.includes(label)));
    return fitting.reduce((sum, row) => sum + Number(row.slice(row.lastIndexOf(" "))), 0);
  }
}

async function finish(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return child.exitCode;
  const ended = once(child, "exit");
  child.kill(signal);
  const late = pause(STOP_MAX_MS, "late", { ref: false });
  if ((await Promise.race([ended, late])) === "late") {
    child.kill("SIGKILL");
    throw new Error(`till did not end within ${STOP_MAX_MS} ms of ${signal}`);
  }
  return child.exitCode;
}
