// Forged and misdirected deliveries change nothing and leave a trace.
import type { Page } from "@playwright/test";

import { expect, test } from "./support/fixtures.ts";
import type { ProviderEvent } from "./support/sandbox.ts";
import { open, payAndReturn, phaseOnServer, pressPay, seePhase, seeReady } from "./support/shopper.ts";
import type { Till } from "./support/till.ts";
import { deliver, signature } from "./support/webhooks.ts";

/** A shopper who has paid without proof for Till. Returns the event that would be the proof. */
async function paidUnproven(page: Page, till: Till): Promise<ProviderEvent> {
  await till.sandbox.hold();
  await open(page, await till.link());
  await pressPay(page);
  await payAndReturn(page);
  await seePhase(page, "confirming");
  await seeReady(page);
  const [event] = await till.sandbox.events("checkout.session.completed");
  expect(event).toBeDefined();
  return event!;
}

/** Both the open page and the server's page still wait. */
async function unmoved(page: Page): Promise<void> {
  expect(await phaseOnServer(page.url())).toBe("confirming");
  await seePhase(page, "confirming");
}

async function seeAlert(till: Till, kind: string, about: RegExp): Promise<void> {
  const said = async () => (await till.alerts()).filter((alert) => alert.kind === kind).map((alert) => `${alert.subject} ${alert.detail}`);
  await expect.poll(async () => (await said()).join("\n"), { message: `an alert ${kind}` }).toMatch(about);
}

const MINUTE = 60;
const now = () => Math.floor(Date.now() / 1000);

const REJECTED = [
  { name: "with a wrong signature", about: /wrong/, header: (_: string, body: string) => signature("whsec_guessed", body) },
  { name: "over another body", about: /wrong/, header: (secret: string, body: string) => signature(secret, `${body} `) },
  { name: "of yesterday", about: /stale/, header: (secret: string, body: string) => signature(secret, body, now() - 10 * MINUTE) },
  { name: "of tomorrow", about: /future/, header: (secret: string, body: string) => signature(secret, body, now() + 10 * MINUTE) },
  { name: "without a signature", about: /missing/, header: () => undefined },
  { name: "with an empty signature", about: /malformed/, header: () => "" },
  { name: "with nonsense for a signature", about: /malformed/, header: () => "t=now,v1=trust-me" },
];

test("deliveries without a good signature are rejected, and the good one then counts", async ({ page, till }) => {
  const event = await paidUnproven(page, till);
  const body = JSON.stringify(event);
  const { webhook_url, webhook_secret } = till.ready;
  for (const { name, about, header } of REJECTED) {
    const reply = await deliver(webhook_url, body, header(webhook_secret, body));
    expect(reply.status, name).toBe(400);
    await seeAlert(till, "webhook_rejected", about);
    await unmoved(page);
  }
  // The forged delivery was not stored, not even as an id that would make the real one a duplicate.
  expect(await till.metric("till_deliveries_total", 'outcome="stored"')).toBe(0);
  expect((await deliver(webhook_url, body, signature(webhook_secret, body))).status).toBe(200);
  await seePhase(page, "paid");
});

test("an event of another account, or of the other mode, is stored and not applied", async ({ page, till }) => {
  const event = await paidUnproven(page, till);
  const { webhook_url, webhook_secret } = till.ready;
  // Several installations can share a provider account, so the first event is only counted. The second shows a wrong setup.
  const forged = [
    { change: { account: "acct_1somebodyelse" }, about: undefined },
    { change: { livemode: true }, about: /live mode event for a test mode account/ },
  ];
  for (const [index, { change, about }] of forged.entries()) {
    const body = JSON.stringify({ ...event, ...change, id: `evt_foreign${index}` });
    expect((await deliver(webhook_url, body, signature(webhook_secret, body))).status).toBe(200);
    const foreign = async () => till.metric("till_inbox_settled_total", 'state="foreign"');
    await expect.poll(foreign).toBe(index + 1);
    if (about) await seeAlert(till, "webhook_foreign", about);
    else expect((await till.alerts()).map((alert) => alert.kind)).not.toContain("webhook_foreign");
    await unmoved(page);
  }
  await till.sandbox.release();
  await seePhase(page, "paid");
});

test("a wrong amount or currency is flagged, never applied", async ({ page, till }) => {
  const event = await paidUnproven(page, till);
  const { webhook_url, webhook_secret } = till.ready;
  const total = Number(event.data.object.amount_total);
  const wrong = [{ amount_total: total - 1 }, { amount_total: total * 100 }, { amount_total: 1 }, { currency: "usd" }];
  for (const [index, change] of wrong.entries()) {
    const data = { object: { ...event.data.object, ...change } };
    const body = JSON.stringify({ ...event, data, id: `evt_wrong${index}` });
    expect((await deliver(webhook_url, body, signature(webhook_secret, body))).status).toBe(200);
    const mismatches = async () => (await till.alerts()).filter((alert) => alert.kind === "webhook_mismatch");
    const flagged = async () => (await mismatches()).reduce((sum, alert) => sum + alert.times, 0);
    await expect.poll(flagged).toBe(index + 1);
    await unmoved(page);
  }
  await till.sandbox.release();
  await seePhase(page, "paid");
});

test("a provider that takes the wrong amount is never shown as paid", async ({ page, till }) => {
  await till.sandbox.webhooks({ amount_delta: -100 });
  await till.sandbox.deaf();
  await open(page, await till.link());
  await pressPay(page);
  await payAndReturn(page);
  await seeAlert(till, "webhook_mismatch", /./);
  const sent = async () => (await till.sandbox.deliveries()).every(({ status }) => status === "delivered");
  await expect.poll(sent).toBe(true);
  expect(await phaseOnServer(page.url())).not.toMatch(/^paid/);
  await expect(page.getByRole("heading", { level: 1 })).not.toHaveText("Payment complete");
});

test("an event for a payment that is not ours waits, and harms nobody", async ({ page, till }) => {
  const event = await paidUnproven(page, till);
  const { webhook_url, webhook_secret } = till.ready;
  const object = { ...event.data.object, id: "cs_test_unknown", payment_intent: "pi_3unknown", client_reference_id: null, metadata: {} };
  const body = JSON.stringify({ ...event, id: "evt_orphan", data: { object } });
  expect((await deliver(webhook_url, body, signature(webhook_secret, body))).status).toBe(200);
  await unmoved(page);
  await till.sandbox.release();
  await seePhase(page, "paid");
});

test("a duplicate gets the same reply and has no second effect", async ({ page, till }) => {
  const event = await paidUnproven(page, till);
  const { webhook_url, webhook_secret } = till.ready;
  const body = JSON.stringify(event);
  const header = signature(webhook_secret, body);
  const first = await deliver(webhook_url, body, header);
  await seePhase(page, "paid");
  const html = await page.locator("#live").innerHTML();
  const moved = await till.metric("till_payment_events_total");

  expect(await deliver(webhook_url, body, header)).toEqual(first);
  // The repetition has a new signature, as a provider's retries have.
  expect(await deliver(webhook_url, body, signature(webhook_secret, body, now() - MINUTE))).toEqual(first);
  expect(await till.metric("till_deliveries_total", 'outcome="duplicate"')).toBe(2);
  expect(await till.metric("till_deliveries_total", 'outcome="stored"')).toBe(1);
  expect(await till.metric("till_payment_events_total")).toBe(moved);
  expect(await page.locator("#live").innerHTML()).toBe(html);
});

test("a provider that sends everything five times is paid once", async ({ page, till }) => {
  await till.sandbox.webhooks({ duplicate: 4 });
  await open(page, await till.link());
  await pressPay(page);
  await payAndReturn(page);
  await seePhase(page, "paid");
  const statuses = async () => [...new Set((await till.sandbox.deliveries()).map(({ status }) => status))];
  await expect.poll(statuses).toEqual(["delivered"]);
  const events = new Set((await till.sandbox.deliveries()).map(({ event }) => event)).size;
  expect(await till.metric("till_deliveries_total", 'outcome="stored"')).toBe(events);
  expect(await till.metric("till_deliveries_total", 'outcome="duplicate"')).toBe(4 * events);
  expect(await till.alerts()).toEqual([]);
});

for (const [name, rules] of Object.entries({ tampered: { tamper: true }, stale: { stale: true } })) {
  test(`${name} deliveries of the provider itself are rejected until a good one comes`, async ({ page, till }) => {
    // All retries come at once, so that the test can wait for the last.
    await till.sandbox.webhooks({ ...rules, retry_scale: 0 });
    await till.sandbox.deaf();
    await open(page, await till.link());
    await pressPay(page);
    await payAndReturn(page);
    const statuses = async () => [...new Set((await till.sandbox.deliveries()).map(({ status }) => status))];
    await expect.poll(statuses).toEqual(["failed"]);
    const tries = (await till.sandbox.deliveries()).flatMap((delivery) => delivery.tries);
    expect(new Set(tries.map((attempt) => attempt.http_status))).toEqual(new Set([400]));
    await unmoved(page);
    await seeAlert(till, "webhook_rejected", name === "stale" ? /stale/ : /wrong/);

    await till.sandbox.reset();
    await till.sandbox.deaf();
    const [event] = await till.sandbox.events("checkout.session.completed");
    await till.sandbox.resend(event!.id);
    await seePhase(page, "paid");
  });
}

test("bodies that are no events do no harm", async ({ page, till }) => {
  const event = await paidUnproven(page, till);
  const { webhook_url, webhook_secret } = till.ready;
  for (const body of ["", "null", "[]", "{}", '{"id":""}', '{"id":7}', `{"id":"${"x".repeat(300)}"}`, "\u0000", "<xml/>"]) {
    const { status } = await deliver(webhook_url, body, signature(webhook_secret, body));
    // Refusing a signed delivery would delay the deliveries behind it.
    expect(status, body.slice(0, 20)).toBe(200);
  }
  const huge = JSON.stringify({ ...event, padding: "x".repeat(5_000_000) });
  const reply = await deliver(webhook_url, huge, signature(webhook_secret, huge)).catch(() => ({ status: 413 }));
  expect(reply.status).toBe(413);
  expect((await deliver(`${webhook_url}x`, "{}", "t=1,v1=0")).status).toBe(404);
  await unmoved(page);
});
