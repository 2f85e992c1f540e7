// Forged addresses: no text in the address bar makes a page say "paid".
import { expect, test } from "./support/fixtures.ts";
import { open, phaseOnServer, pressPay, seePhase, seeReady, sessionUrl } from "./support/shopper.ts";

const CLAIMS = [
  "",
  "?redirect_status=succeeded&payment_intent=pi_3forged",
  "?session_id=cs_test_forged&paid=true&status=complete",
  "?phase=paid&came_back=true&lang=en",
];

test("the return address without a payment offers the choice", async ({ page, till }) => {
  await open(page, await till.session());
  const session = sessionUrl(page);
  for (const claim of CLAIMS) {
    expect(await phaseOnServer(`${session}/return${claim}`)).toBe("choose");
  }
  await page.goto(`${session}/return`);
  await seePhase(page, "choose");
  expect((await till.sandbox.stats()).sessions).toBe(0);
});

test("the return address with an open payment waits, and leads back to it", async ({ page, till }) => {
  await open(page, await till.session());
  const session = sessionUrl(page);
  await pressPay(page);
  for (const claim of CLAIMS) {
    expect(await phaseOnServer(`${session}/return${claim}`)).toBe("confirming");
  }
  await page.goto(`${session}/return`);
  await seePhase(page, "confirming");
  await seeReady(page);
  // The visit makes Till ask the provider, and the provider knows of no payment.
  await expect.poll(async () => (await till.sandbox.calls("checkout.sessions.retrieve")).length).toBeGreaterThan(0);
  await seePhase(page, "confirming");
  expect(await phaseOnServer(`${session}/return`)).toBe("confirming");
  await page.getByRole("link", { name: "I did not finish paying" }).click();
  await seePhase(page, "resume");
  expect((await till.sandbox.stats()).charges).toBe(0);
});

test("addresses that nobody was given lead nowhere", async ({ page, till }) => {
  await open(page, await till.session());
  const token = sessionUrl(page).split("/").pop()!;
  const wrong = (token.startsWith("0") ? "1" : "0") + token.slice(1);
  const { public_url } = till.ready;
  for (const bad of [wrong, "x", "0".repeat(26), "..%2f..", "%00", "a".repeat(5_000), `${token}'--`]) {
    for (const suffix of ["", "/return", "/go", "/events"]) {
      const reply = await fetch(`${public_url}/c/${bad}${suffix}`, { redirect: "manual" });
      expect(reply.status, `/c/${bad.slice(0, 40)}${suffix}`).toBe(404);
      expect(await reply.text()).not.toMatch(/Payment complete|data-phase="paid"/);
    }
    expect((await fetch(`${public_url}/l/${bad}`, { redirect: "manual" })).status).toBe(404);
  }
});

test("no address changes anything when it is only looked at", async ({ page, till }) => {
  await open(page, await till.session());
  const session = sessionUrl(page);
  const token = session.split("/").pop()!;
  const { public_url } = till.ready;
  for (const name of ["start_payment", "cancel_payment", "renew_session", "extend_session"]) {
    const reply = await fetch(`${public_url}/fn/${name}?token=${token}&method=card&lang=en`, { redirect: "manual" });
    expect(reply.status, name).toBeGreaterThanOrEqual(400);
  }
  expect(await phaseOnServer(session)).toBe("choose");
  expect(await till.sandbox.creates()).toHaveLength(0);
});

test("another site's form cannot start, stop or renew a payment", async ({ page, till }) => {
  await open(page, await till.session());
  const session = sessionUrl(page);
  const token = session.split("/").pop()!;
  const body = new URLSearchParams({ token, method: "card", lang: "en" });
  for (const name of ["start_payment", "cancel_payment", "renew_session", "extend_session"]) {
    for (const headers of [{ "sec-fetch-site": "cross-site" }, { origin: "https://evil.example" }]) {
      const init = { method: "POST", body, headers, redirect: "manual" as const };
      expect((await fetch(`${till.ready.public_url}/fn/${name}`, init)).status, name).toBe(403);
    }
  }
  expect(await phaseOnServer(session)).toBe("choose");
  expect(await till.sandbox.creates()).toHaveLength(0);
});
