// Deliveries made by the tests themselves, as an attacker or a failing provider may send them.
import { createHmac } from "node:crypto";

/** The provider's signature over a body. */
export function signature(secret: string, body: string, at = Math.floor(Date.now() / 1000)): string {
  const digest = createHmac("sha256", secret).update(`${at}.${body}`).digest("hex");
  return `t=${at},v1=${digest}`;
}

/** Sends a body to Till's webhook address. */
export async function deliver(url: string, body: string, header?: string): Promise<{ status: number; text: string }> {
  const headers: Record<string, string> = { "content-type": "application/json; charset=utf-8" };
  if (header !== undefined) headers["stripe-signature"] = header;
  const reply = await fetch(url, { method: "POST", headers, body });
  return { status: reply.status, text: await reply.text() };
}
