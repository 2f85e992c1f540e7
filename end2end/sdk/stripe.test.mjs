// The official Stripe SDK for Node as an outside judge of the sandbox.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import Stripe from "stripe";

const base = new URL(process.env.SANDBOX_URL ?? "http://127.0.0.1:3400");
const key = `sk_test_${randomBytes(12).toString("hex")}`;

const client = (secret, options = {}) =>
  new Stripe(secret, {
    host: base.hostname,
    port: base.port,
    protocol: base.protocol.replace(":", ""),
    maxNetworkRetries: 0,
    telemetry: false,
    ...options,
  });
const stripe = client(key);

const wanted = (more = {}) => ({
  mode: "payment",
  success_url: "https://shop.example/ok?session={CHECKOUT_SESSION_ID}",
  cancel_url: "https://shop.example/cancel",
  client_reference_id: "order-17",
  metadata: { order: "17", "odd[key]": "a&b=c" },
  payment_intent_data: { metadata: { order: "17" } },
  line_items: [
    { quantity: 2, price_data: { currency: "eur", unit_amount: 1299, product_data: { name: "Mug", description: "350 ml" } } },
  ],
  ...more,
});

const form = (url, fields) =>
  fetch(url, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });

/** Types a card on the hosted page. */
const card = (session, number) => form(session.url, { number, expiry: "12 / 34", cvc: "123", name: "Ada Shopper", email: "ada@example.com" });

const paid = async (number = "4242424242424242", more = {}) => {
  const session = await stripe.checkout.sessions.create(wanted(more));
  const reply = await card(session, number);
  assert.equal(reply.status, 303);
  return stripe.checkout.sessions.retrieve(session.id, { expand: ["payment_intent.latest_charge"] });
};

const control = async (path, body) => {
  const reply = await fetch(new URL(path, base), { method: "POST", body: JSON.stringify(body ?? {}) });
  assert.equal(reply.status, 200, await reply.clone().text());
  return reply.json();
};

const until = async (what, check) => {
  const end = Date.now() + 10_000;
  for (;;) {
    const found = await check();
    if (found) return found;
    assert.ok(Date.now() < end, `waited too long for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

// A merchant's webhook receiver that keeps raw bodies, as receivers must.
const received = [];
let refuse = 0;
const receiver = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const status = refuse-- > 0 ? 500 : 200;
    received.push({ status, body: Buffer.concat(parts), headers: request.headers });
    response.writeHead(status).end();
  });
});
before(() => new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve)));
after(() => receiver.close());

test("a session is created, retrieved, updated and expired", async () => {
  const session = await stripe.checkout.sessions.create(wanted());
  assert.match(session.id, /^cs_test_/);
  assert.deepEqual(
    [session.object, session.status, session.payment_status, session.amount_total, session.currency, session.ui_mode],
    ["checkout.session", "open", "unpaid", 2598, "eur", "hosted_page"],
  );
  assert.equal(session.url, `${base.origin}/c/pay/${session.id}`);
  assert.deepEqual([session.payment_intent, session.livemode, session.client_reference_id], [null, false, "order-17"]);
  assert.deepEqual(session.metadata, { order: "17", "odd[key]": "a&b=c" });
  assert.equal(session.expires_at - session.created, 86_400);
  assert.equal("line_items" in session, false);
  assert.match(session.lastResponse.requestId, /^req_/);

  const again = await stripe.checkout.sessions.retrieve(session.id, { expand: ["line_items"] });
  assert.deepEqual(again.line_items.data.map((line) => [line.description, line.quantity, line.amount_total]), [["Mug", 2, 2598]]);
  const lines = await stripe.checkout.sessions.listLineItems(session.id);
  assert.equal(lines.data[0].price.unit_amount, 1299);

  const updated = await stripe.checkout.sessions.update(session.id, { metadata: { order: "", note: "x" } });
  assert.deepEqual(updated.metadata, { "odd[key]": "a&b=c", note: "x" });

  const expired = await stripe.checkout.sessions.expire(session.id);
  assert.deepEqual([expired.status, expired.url], ["expired", null]);
  await assert.rejects(stripe.checkout.sessions.expire(session.id), (error) => {
    assert.ok(error instanceof Stripe.errors.StripeInvalidRequestError);
    assert.match(error.message, /Only Checkout Sessions with a status in \["open"\] can be expired/);
    return true;
  });
  assert.equal((await fetch(`${base.origin}/c/pay/${session.id}`)).status, 410);
});

test("sessions are listed page by page, newest first", async () => {
  const own = client(`sk_test_${randomBytes(12).toString("hex")}`);
  const made = [];
  for (let n = 0; n < 7; n++) made.push((await own.checkout.sessions.create(wanted())).id);
  const listed = [];
  for await (const session of own.checkout.sessions.list({ limit: 3 })) listed.push(session.id);
  assert.deepEqual(listed, made.toReversed());
  const back = await own.checkout.sessions.list({ limit: 2, ending_before: made[2] });
  assert.deepEqual([back.data.map((session) => session.id), back.has_more], [[made[4], made[3]], true]);
  assert.equal((await own.checkout.sessions.list({ created: { lt: 1 } })).data.length, 0);
  assert.equal((await own.checkout.sessions.list({ status: "open", created: { gte: 1 } })).data.length, 7);
});

test("a paid session carries its intent and charge, and the shopper goes back", async () => {
  const session = await stripe.checkout.sessions.create(wanted());
  const reply = await card(session, "4242 4242 4242 4242");
  assert.deepEqual([reply.status, reply.headers.get("location")], [303, `https://shop.example/ok?session=${session.id}`]);
  const twice = await card(session, "4242 4242 4242 4242");
  assert.equal(twice.status, 303);

  const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ["payment_intent.latest_charge"] });
  assert.deepEqual([done.status, done.payment_status, done.url], ["complete", "paid", null]);
  assert.equal(done.customer_details.email, "ada@example.com");
  const intent = done.payment_intent;
  assert.deepEqual([intent.status, intent.amount, intent.amount_received, intent.metadata], ["succeeded", 2598, 2598, { order: "17" }]);
  const charge = intent.latest_charge;
  assert.deepEqual([charge.paid, charge.captured, charge.outcome.type, charge.metadata], [true, true, "authorized", { order: "17" }]);
  assert.deepEqual([charge.payment_method_details.card.last4, charge.payment_method_details.card.brand], ["4242", "visa"]);
  assert.equal((await stripe.charges.list({ payment_intent: intent.id })).data.length, 1);
  const money = await stripe.balanceTransactions.retrieve(charge.balance_transaction);
  assert.equal(money.net, money.amount - money.fee);
  assert.match(await (await fetch(session.url)).text(), /You have already paid/);
  const types = (await stripe.events.list({ types: ["payment_intent.succeeded", "checkout.session.completed"] })).data.filter(
    (event) => [session.id, intent.id].includes(event.data.object.id),
  );
  assert.deepEqual(types.map((event) => event.type), ["checkout.session.completed", "payment_intent.succeeded"]);
});

test("a decline says why, leaves the session open, and another card pays", async () => {
  const session = await stripe.checkout.sessions.create(wanted());
  const declined = {
    "4000000000000002": ["card_declined", "generic_decline"],
    "4000000000009995": ["card_declined", "insufficient_funds"],
    "4000000000009987": ["card_declined", "lost_card"],
    "4000000000009979": ["card_declined", "stolen_card"],
    "4000000000000069": ["expired_card", "expired_card"],
    "4000000000000127": ["incorrect_cvc", "incorrect_cvc"],
    "4000000000000119": ["processing_error", "processing_error"],
    "4100000000000019": ["card_declined", "fraudulent"],
  };
  for (const [number, [code, declineCode]] of Object.entries(declined)) {
    const reply = await card(session, number);
    assert.equal(reply.status, 402);
    assert.match(await reply.text(), /role="alert"/);
    const { status, payment_intent: intent } = await stripe.checkout.sessions.retrieve(session.id, { expand: ["payment_intent"] });
    assert.deepEqual([status, intent.status], ["open", "requires_payment_method"]);
    const error = intent.last_payment_error;
    assert.deepEqual([error.type, error.code, error.decline_code, error.payment_method.card.last4], ["card_error", code, declineCode, number.slice(-4)]);
    const charge = await stripe.charges.retrieve(error.charge);
    assert.deepEqual([charge.status, charge.failure_code, charge.paid], ["failed", code, false]);
  }
  const { payment_intent: intent } = await stripe.checkout.sessions.retrieve(session.id);
  const failed = await stripe.events.list({ type: "payment_intent.payment_failed", limit: 100 });
  assert.equal(failed.data.filter((event) => event.data.object.id === intent).length, 8);
  assert.equal((await card(session, "5555555555554444")).status, 303);
  const paidIntent = await stripe.paymentIntents.retrieve(intent);
  assert.deepEqual([paidIntent.status, paidIntent.last_payment_error], ["succeeded", null]);
});

test("wrong input is told without a charge", async () => {
  const session = await stripe.checkout.sessions.create(wanted());
  const reply = await form(session.url, { number: "4242424242424241", expiry: "01/20", cvc: "1" });
  assert.equal(reply.status, 422);
  const page = await reply.text();
  for (const sentence of [/card number is invalid/, /expiration date is in the past/, /security code is incomplete/]) assert.match(page, sentence);
  assert.equal((await stripe.checkout.sessions.retrieve(session.id)).payment_intent, null);
});

test("3-D Secure is passed or failed at the bank", async () => {
  const session = await stripe.checkout.sessions.create(wanted());
  const bank = `${session.url}/3ds`;
  assert.equal((await card(session, "4000002760003184")).headers.get("location"), `/c/pay/${session.id}/3ds`);
  const asked = await stripe.checkout.sessions.retrieve(session.id, { expand: ["payment_intent"] });
  assert.deepEqual([asked.payment_intent.status, asked.payment_intent.next_action.type], ["requires_action", "redirect_to_url"]);
  assert.match(await (await fetch(bank)).text(), /confirm this payment of €25\.98/);
  await form(bank, { result: "fail" });
  const failed = await stripe.paymentIntents.retrieve(asked.payment_intent.id);
  assert.deepEqual([failed.status, failed.last_payment_error.code], ["requires_payment_method", "payment_intent_authentication_failure"]);
  await card(session, "4000008260003178");
  assert.equal((await form(bank, { result: "complete" })).headers.get("location"), `/c/pay/${session.id}`);
  assert.equal((await stripe.paymentIntents.retrieve(failed.id)).last_payment_error.decline_code, "insufficient_funds");
  await card(session, "4000000000003220");
  assert.match((await form(bank, { result: "complete" })).headers.get("location"), /^https:\/\/shop\.example\/ok/);
  const intent = await stripe.paymentIntents.retrieve(failed.id, { expand: ["latest_charge"] });
  assert.equal(intent.latest_charge.payment_method_details.card.three_d_secure.result, "authenticated");
});

test("money is authorised first and captured or released later", async () => {
  const manual = { payment_intent_data: { capture_method: "manual" } };
  const { payment_intent: intent, payment_status: status } = await paid(undefined, manual);
  assert.deepEqual([status, intent.status, intent.amount_capturable, intent.amount_received], ["unpaid", "requires_capture", 2598, 0]);
  await assert.rejects(stripe.paymentIntents.capture(intent.id, { amount_to_capture: 2599 }), { code: "amount_too_large" });
  const captured = await stripe.paymentIntents.capture(intent.id, { amount_to_capture: 2000 });
  assert.deepEqual([captured.status, captured.amount_received, captured.amount_capturable], ["succeeded", 2000, 0]);
  await assert.rejects(stripe.paymentIntents.capture(intent.id), (error) => {
    assert.deepEqual([error.code, error.payment_intent.id], ["payment_intent_unexpected_state", intent.id]);
    return true;
  });
  const { payment_intent: other } = await paid(undefined, manual);
  const canceled = await stripe.paymentIntents.cancel(other.id, { cancellation_reason: "requested_by_customer" });
  assert.deepEqual([canceled.status, canceled.cancellation_reason], ["canceled", "requested_by_customer"]);
  const updated = await stripe.paymentIntents.update(intent.id, { description: "late", metadata: { a: "b" } });
  assert.deepEqual([updated.description, updated.metadata.a], ["late", "b"]);
});

test("refunds never exceed the charge, even at the same time", async () => {
  const { payment_intent: intent } = await paid();
  const part = await stripe.refunds.create({ payment_intent: intent.id, amount: 598, reason: "requested_by_customer", metadata: { why: "broken" } });
  assert.deepEqual([part.status, part.amount, part.charge], ["succeeded", 598, intent.latest_charge.id]);
  await assert.rejects(stripe.refunds.create({ payment_intent: intent.id, amount: 2001 }), (error) => {
    assert.ok(error instanceof Stripe.errors.StripeInvalidRequestError);
    assert.deepEqual([error.param, error.statusCode], ["amount", 400]);
    return true;
  });
  const race = await Promise.allSettled(Array.from({ length: 6 }, () => stripe.refunds.create({ charge: intent.latest_charge.id, amount: 1000 })));
  assert.equal(race.filter(({ status }) => status === "fulfilled").length, 2);
  await assert.rejects(stripe.refunds.create({ charge: intent.latest_charge.id }), { code: "charge_already_refunded" });
  const charge = await stripe.charges.retrieve(intent.latest_charge.id, { expand: ["refunds"] });
  assert.deepEqual([charge.refunded, charge.amount_refunded, charge.refunds.data.length], [true, 2598, 3]);
  assert.equal((await stripe.refunds.list({ payment_intent: intent.id })).data.length, 3);
  assert.equal((await stripe.refunds.update(part.id, { metadata: { why: "late" } })).metadata.why, "late");
  assert.equal((await stripe.refunds.retrieve(part.id)).metadata.why, "late");
});

test("some refunds change their mind, some take a while", async () => {
  const { payment_intent: fails } = await paid("4000000000005126");
  const failing = await stripe.refunds.create({ payment_intent: fails.id });
  assert.equal(failing.status, "succeeded");
  const { payment_intent: slow } = await paid("4000000000007726");
  const pending = await stripe.refunds.create({ payment_intent: slow.id });
  assert.equal(pending.status, "pending");
  await control("/_control/advance", { seconds: 60 });
  const failed = await stripe.refunds.retrieve(failing.id);
  assert.deepEqual([failed.status, typeof failed.failure_reason], ["failed", "string"]);
  assert.equal((await stripe.charges.retrieve(failed.charge)).amount_refunded, 0);
  assert.equal((await stripe.refunds.retrieve(pending.id)).status, "succeeded");
});

test("a bank debit is complete first and paid later", async () => {
  const debit = async (account) => {
    const session = await stripe.checkout.sessions.create(
      wanted({
        payment_method_types: ["card", "us_bank_account"],
        line_items: [{ quantity: 1, price_data: { currency: "usd", unit_amount: 5000, product_data: { name: "Lamp" } } }],
      }),
    );
    const reply = await form(session.url, { method: "us_bank_account", routing: "110000000", account });
    assert.equal(reply.status, 303);
    const now = await stripe.checkout.sessions.retrieve(session.id, { expand: ["payment_intent"] });
    assert.deepEqual([now.status, now.payment_status, now.payment_intent.status], ["complete", "unpaid", "processing"]);
    return session.id;
  };
  const [good, bad] = [await debit("000123456789"), await debit("000222222227")];
  await control("/_control/advance", { seconds: 60 });
  assert.equal((await stripe.checkout.sessions.retrieve(good)).payment_status, "paid");
  const failed = await stripe.checkout.sessions.retrieve(bad, { expand: ["payment_intent"] });
  assert.deepEqual([failed.payment_status, failed.payment_intent.status, failed.payment_intent.last_payment_error.code], ["unpaid", "requires_payment_method", "insufficient_funds"]);
  for (const [type, id] of [["checkout.session.async_payment_succeeded", good], ["checkout.session.async_payment_failed", bad]]) {
    assert.ok((await stripe.events.list({ type })).data.some((event) => event.data.object.id === id), type);
  }
});

test("a disputed payment is withdrawn, and given back when it is won", async () => {
  const { payment_intent: intent } = await paid("4000000000000259");
  await control("/_control/advance", { seconds: 60 });
  const [dispute] = (await stripe.disputes.list({ payment_intent: intent.id })).data;
  assert.deepEqual([dispute.status, dispute.reason, dispute.amount], ["needs_response", "fraudulent", 2598]);
  await assert.rejects(stripe.refunds.create({ payment_intent: intent.id }), { code: "charge_disputed" });
  await control(`/_control/disputes/${dispute.id}/close`, { status: "won" });
  assert.equal((await stripe.disputes.retrieve(dispute.id)).status, "won");
  const types = (await stripe.events.list({ type: "charge.dispute.*", limit: 10 })).data.filter((event) => event.data.object.id === dispute.id);
  assert.deepEqual(types.map((event) => event.type).toReversed(), [
    "charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed", "charge.dispute.funds_reinstated",
  ]);
});

test("errors have the classes, codes and parameters of the real ones", async () => {
  const { StripeInvalidRequestError, StripeAuthenticationError, StripeIdempotencyError, StripeRateLimitError, StripeAPIError } = Stripe.errors;
  const rejects = (promise, kind, fields) =>
    assert.rejects(promise, (error) => {
      assert.ok(error instanceof kind, `${error.constructor.name}: ${error.message}`);
      for (const [name, value] of Object.entries(fields)) assert.equal(error[name], value, error.message);
      return true;
    });
  const create = (more) => stripe.checkout.sessions.create(wanted(more));
  await rejects(client("sk_live_0123456789abcdef").balance.retrieve(), StripeAuthenticationError, { statusCode: 401 });
  await rejects(client("sk_test_bad").balance.retrieve(), StripeAuthenticationError, { statusCode: 401 });
  await rejects(stripe.checkout.sessions.retrieve("cs_test_none"), StripeInvalidRequestError, { statusCode: 404, code: "resource_missing", param: "session" });
  await rejects(client(`${key}0000`).paymentIntents.retrieve("pi_none"), StripeInvalidRequestError, { code: "resource_missing" });
  await rejects(create({ foo: 1 }), StripeInvalidRequestError, { code: "parameter_unknown", param: "foo" });
  await rejects(create({ line_items: undefined }), StripeInvalidRequestError, { code: "parameter_missing", param: "line_items" });
  await rejects(create({ success_url: undefined }), StripeInvalidRequestError, { code: "parameter_missing", param: "success_url" });
  await rejects(create({ success_url: "shop" }), StripeInvalidRequestError, { code: "url_invalid", param: "success_url" });
  await rejects(create({ expires_at: Math.floor(Date.now() / 1000) + 60 }), StripeInvalidRequestError, { param: "expires_at" });
  await rejects(create({ mode: "subscription" }), StripeInvalidRequestError, { param: "mode" });
  await rejects(create({ discounts: [{ coupon: "x" }] }), StripeInvalidRequestError, { param: "discounts" });
  const item = (data) => [{ quantity: 1, price_data: { currency: "eur", unit_amount: 100, product_data: { name: "x" }, ...data } }];
  await rejects(create({ line_items: item({ currency: "zzz" }) }), StripeInvalidRequestError, { param: "line_items[0][price_data][currency]" });
  await rejects(create({ line_items: item({ unit_amount: "1.5" }) }), StripeInvalidRequestError, { code: "parameter_invalid_integer" });
  await rejects(create({ line_items: [...item({}), ...item({ currency: "usd" })] }), StripeInvalidRequestError, { param: "line_items" });
  await rejects(stripe.rawRequest("GET", "/v1/unheard_of"), StripeInvalidRequestError, { statusCode: 404 });
  await rejects(stripe.rawRequest("DELETE", "/v1/refunds/re_1"), StripeAPIError, { statusCode: 405 });
  await control("/_control/faults", { operation: "balance.retrieve", fault: "rate_limit_429", account: key });
  await rejects(stripe.balance.retrieve(), StripeRateLimitError, { statusCode: 429 });

  const options = { idempotencyKey: randomBytes(8).toString("hex") };
  await stripe.checkout.sessions.create(wanted(), options);
  await rejects(stripe.checkout.sessions.create(wanted({ locale: "de" }), options), StripeIdempotencyError, { statusCode: 400 });
});

test("an idempotent repeat returns the first reply, and a lost reply costs no second session", async () => {
  const idempotencyKey = randomBytes(8).toString("hex");
  const first = await stripe.checkout.sessions.create(wanted(), { idempotencyKey });
  const again = await stripe.checkout.sessions.create(wanted(), { idempotencyKey });
  assert.equal(again.id, first.id);
  assert.equal(again.lastResponse.headers["idempotent-replayed"], "true");

  const secret = `sk_test_${randomBytes(12).toString("hex")}`;
  await control("/_control/faults", { operation: "checkout.sessions.create", fault: "timeout_after_accept", account: secret });
  const retried = await client(secret, { maxNetworkRetries: 2 }).checkout.sessions.create(wanted());
  assert.match(retried.id, /^cs_test_/);
  const stats = await (await fetch(new URL(`/_control/stats?account=${secret}`, base))).json();
  assert.equal(stats.sessions, 1);
  const { calls } = await (await fetch(new URL(`/_control/calls?account=${secret}&operation=checkout.sessions.create`, base))).json();
  assert.deepEqual(calls.map((call) => [call.status, call.replayed]), [[0, false], [200, true]]);
});

test("webhooks are signed, retried and verified by the SDK; a changed one is refused", async () => {
  const own = client(`sk_test_${randomBytes(12).toString("hex")}`);
  const url = `http://127.0.0.1:${receiver.address().port}/hooks`;
  const endpoint = await own.webhookEndpoints.create({ url, enabled_events: ["checkout.session.completed", "payment_intent.succeeded"], description: "shop" });
  assert.match(endpoint.secret, /^whsec_/);
  assert.equal((await own.webhookEndpoints.retrieve(endpoint.id)).secret, undefined);

  await control("/_control/webhooks", { retry_scale: 0.01 });
  refuse = 1;
  const session = await own.checkout.sessions.create(wanted());
  await card(session, "4242424242424242");
  const mine = () => received.filter(({ body }) => body.includes(session.id) || body.includes('"payment_intent.succeeded"'));
  await until("three deliveries", () => mine().length >= 3 && mine());
  const kinds = [];
  for (const { body, headers, status } of received.splice(0)) {
    const signature = headers["stripe-signature"];
    const event = own.webhooks.constructEvent(body, signature, endpoint.secret);
    assert.equal(event.object, "event");
    assert.match(headers["user-agent"], /^Stripe\/1\.0/);
    if (status === 200) kinds.push(event.type);
    const changed = Buffer.from(body.toString().replace("2598", "1"));
    assert.throws(() => own.webhooks.constructEvent(changed, signature, endpoint.secret), Stripe.errors.StripeSignatureVerificationError);
    assert.throws(() => own.webhooks.constructEvent(body, signature, "whsec_other"), Stripe.errors.StripeSignatureVerificationError);
  }
  assert.deepEqual(kinds.sort(), ["checkout.session.completed", "payment_intent.succeeded"]);

  // A stale and a tampered delivery must not pass the SDK either.
  const [event] = (await own.events.list({ type: "checkout.session.completed" })).data;
  for (const wrong of ["stale", "tamper"]) {
    await control("/_control/webhooks", { [wrong]: true });
    await control(`/_control/events/${event.id}/resend`);
    const { body, headers } = await until(`a ${wrong} delivery`, () => received.shift());
    assert.throws(() => own.webhooks.constructEvent(body, headers["stripe-signature"], endpoint.secret), Stripe.errors.StripeSignatureVerificationError);
    await control("/_control/webhooks", { [wrong]: false });
  }

  const disabled = await own.webhookEndpoints.update(endpoint.id, { disabled: true });
  assert.equal(disabled.status, "disabled");
  assert.equal((await own.webhookEndpoints.list()).data.length, 1);
  assert.equal((await own.webhookEndpoints.del(endpoint.id)).deleted, true);
  await control("/_control/reset");
});

test("the webhook can beat the redirect", async () => {
  const secret = `sk_test_${randomBytes(12).toString("hex")}`;
  const own = client(secret);
  await own.webhookEndpoints.create({ url: `http://127.0.0.1:${receiver.address().port}/hooks`, enabled_events: ["*"] });
  await control("/_control/webhooks", { account: secret, before_redirect: true, delay_ms: 300 });
  const session = await own.checkout.sessions.create(wanted());
  received.length = 0;
  assert.equal((await card(session, "4242424242424242")).status, 303);
  assert.ok(received.some(({ body }) => JSON.parse(body).type === "checkout.session.completed"));
});

test("the account and its balance can be read", async () => {
  assert.equal((await stripe.rawRequest("GET", "/v1/account")).object, "account");
  assert.equal((await stripe.balance.retrieve()).object, "balance");
});
