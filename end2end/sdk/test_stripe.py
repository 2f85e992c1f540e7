"""The official Stripe SDK for Python as an outside judge of the sandbox."""

import json
import os
import secrets
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
import stripe

URL = os.environ.get("SANDBOX_URL", "http://127.0.0.1:3400").rstrip("/")


def new_key():
    return f"sk_test_{secrets.token_hex(12)}"


def client(key, **options):
    return stripe.StripeClient(key, base_addresses={"api": URL}, **options)


def wanted(**more):
    params = {
        "mode": "payment",
        "success_url": "https://shop.example/ok?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://shop.example/cancel",
        "client_reference_id": "order-17",
        "metadata": {"order": "17"},
        "payment_intent_data": {"metadata": {"order": "17"}},
        "line_items": [
            {
                "quantity": 2,
                "price_data": {"currency": "eur", "unit_amount": 1299, "product_data": {"name": "Mug"}},
            }
        ],
    }
    return {**params, **more}


def card(session, number, path=""):
    """Types a card on the hosted page."""
    fields = {"number": number, "expiry": "12/34", "cvc": "123", "name": "Ada Shopper", "email": "ada@example.com"}
    return requests.post(session.url + path, data=fields, allow_redirects=False, timeout=20)


def control(path, body=None):
    reply = requests.post(URL + path, json=body or {}, timeout=20)
    reply.raise_for_status()
    return reply.json()


class Receiver(BaseHTTPRequestHandler):
    """A merchant's webhook receiver that keeps raw bodies."""

    received = []
    refuse = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        status = 503 if Receiver.refuse > 0 else 200
        Receiver.refuse -= 1
        Receiver.received.append((status, body, self.headers["stripe-signature"]))
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Sessions(unittest.TestCase):
    def setUp(self):
        self.stripe = client(new_key())
        self.sessions = self.stripe.v1.checkout.sessions

    def test_create_retrieve_update_expire(self):
        session = self.sessions.create(params=wanted(locale="de", allow_promotion_codes=False))
        self.assertEqual((session.status, session.payment_status, session.amount_total), ("open", "unpaid", 2598))
        self.assertEqual((session.locale, session.allow_promotion_codes), ("de", False))
        self.assertEqual(session.url, f"{URL}/c/pay/{session.id}")
        again = self.sessions.retrieve(session.id, params={"expand": ["line_items"]})
        self.assertEqual(again.line_items.data[0].amount_total, 2598)
        self.assertEqual(self.sessions.line_items.list(session.id).data[0].quantity, 2)
        updated = self.sessions.update(session.id, params={"metadata": {"note": "x"}})
        self.assertEqual(updated.metadata.to_dict(), {"order": "17", "note": "x"})
        expired = self.sessions.expire(session.id)
        self.assertEqual((expired.status, expired.url), ("expired", None))
        with self.assertRaises(stripe.InvalidRequestError):
            self.sessions.expire(session.id)
        kinds = [event.type for event in self.stripe.v1.events.list().data]
        self.assertEqual(kinds, ["checkout.session.expired"])

    def test_list_and_auto_pagination(self):
        made = [self.sessions.create(params=wanted()).id for _ in range(5)]
        listed = [session.id for session in self.sessions.list(params={"limit": 2}).auto_paging_iter()]
        self.assertEqual(listed, made[::-1])
        page = self.sessions.list(params={"limit": 2, "starting_after": made[3]})
        self.assertEqual(([session.id for session in page.data], page.has_more), ([made[2], made[1]], True))

    def test_accounts_are_apart(self):
        session = self.sessions.create(params=wanted())
        with self.assertRaises(stripe.InvalidRequestError) as caught:
            client(new_key()).v1.checkout.sessions.retrieve(session.id)
        self.assertEqual((caught.exception.http_status, caught.exception.code), (404, "resource_missing"))


class Payments(unittest.TestCase):
    def setUp(self):
        self.stripe = client(new_key())

    def open(self, **more):
        return self.stripe.v1.checkout.sessions.create(params=wanted(**more))

    def pay(self, number="4242424242424242", **more):
        session = self.open(**more)
        self.assertEqual(card(session, number).status_code, 303)
        return self.stripe.v1.checkout.sessions.retrieve(
            session.id, params={"expand": ["payment_intent.latest_charge.balance_transaction"]}
        )

    def test_paid(self):
        session = self.pay()
        intent = session.payment_intent
        self.assertEqual((session.status, session.payment_status, intent.status), ("complete", "paid", "succeeded"))
        self.assertEqual(intent.latest_charge.balance_transaction.amount, 2598)
        self.assertEqual(intent.metadata.to_dict(), {"order": "17"})
        self.assertEqual(self.stripe.v1.payment_intents.retrieve(intent.id).latest_charge, intent.latest_charge.id)
        kinds = [event.type for event in self.stripe.v1.events.list().data][::-1]
        expected = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]
        self.assertEqual(kinds, expected)
        only = self.stripe.v1.events.list(params={"types": ["charge.succeeded"]}).data
        self.assertEqual([event.data.object["id"] for event in only], [intent.latest_charge.id])
        self.assertEqual(self.stripe.v1.events.retrieve(only[0].id).type, "charge.succeeded")

    def test_double_submit_charges_once(self):
        session = self.open()
        with ThreadPoolExecutor(6) as pool:
            replies = list(pool.map(lambda _: card(session, "4242424242424242"), range(6)))
        self.assertEqual({reply.status_code for reply in replies}, {303})
        self.assertEqual(len(self.stripe.v1.charges.list().data), 1)

    def test_decline_then_pay(self):
        session = self.open()
        reply = card(session, "4000000000009995")
        self.assertIn("Your card has insufficient funds.", reply.text)
        intent = self.stripe.v1.payment_intents.list().data[0]
        error = intent.last_payment_error
        self.assertEqual((intent.status, error.code, error.decline_code), ("requires_payment_method", "card_declined", "insufficient_funds"))
        self.assertEqual(error.payment_method.card.last4, "9995")
        self.assertEqual(self.stripe.v1.checkout.sessions.retrieve(session.id).status, "open")
        card(session, "4242424242424242")
        self.assertEqual(self.stripe.v1.payment_intents.retrieve(intent.id).status, "succeeded")

    def test_live_number_is_refused(self):
        session = self.open()
        card(session, "4111111111111111")
        error = self.stripe.v1.payment_intents.list().data[0].last_payment_error
        self.assertEqual((error.code, error.decline_code), ("card_declined", "test_mode_live_card"))

    def test_capture_and_cancel(self):
        manual = {"payment_intent_data": {"capture_method": "manual"}}
        intent = self.pay(**manual).payment_intent
        self.assertEqual((intent.status, intent.amount_capturable), ("requires_capture", 2598))
        captured = self.stripe.v1.payment_intents.capture(intent.id, params={"amount_to_capture": 1000})
        self.assertEqual((captured.status, captured.amount_received), ("succeeded", 1000))
        with self.assertRaises(stripe.InvalidRequestError) as caught:
            self.stripe.v1.payment_intents.cancel(intent.id)
        self.assertEqual(caught.exception.code, "payment_intent_unexpected_state")
        self.assertEqual(caught.exception.error.payment_intent.id, intent.id)
        with self.assertRaises(stripe.InvalidRequestError):
            self.stripe.v1.refunds.create(params={"payment_intent": intent.id, "amount": 1001})
        other = self.pay(**manual).payment_intent
        self.assertEqual(self.stripe.v1.payment_intents.cancel(other.id).status, "canceled")

    def test_refunds(self):
        intent = self.pay().payment_intent
        refunds = self.stripe.v1.refunds
        part = refunds.create(params={"payment_intent": intent.id, "amount": 598, "reason": "duplicate"})
        self.assertEqual((part.status, part.amount, part.reason), ("succeeded", 598, "duplicate"))
        with self.assertRaises(stripe.InvalidRequestError) as caught:
            refunds.create(params={"payment_intent": intent.id, "amount": 2001})
        self.assertEqual(caught.exception.param, "amount")
        refunds.create(params={"payment_intent": intent.id})
        with self.assertRaises(stripe.InvalidRequestError) as caught:
            refunds.create(params={"payment_intent": intent.id})
        self.assertEqual(caught.exception.code, "charge_already_refunded")
        listed = refunds.list(params={"charge": intent.latest_charge.id})
        self.assertEqual(sum(refund.amount for refund in listed.data), 2598)


class Errors(unittest.TestCase):
    def test_classes(self):
        good = client(new_key()).v1
        with self.assertRaises(stripe.AuthenticationError):
            client("sk_live_0123456789abcdef").v1.balance.retrieve()
        with self.assertRaises(stripe.InvalidRequestError) as caught:
            good.checkout.sessions.create(params=wanted(foo="bar"))
        self.assertEqual((caught.exception.code, caught.exception.param), ("parameter_unknown", "foo"))
        with self.assertRaises(stripe.InvalidRequestError) as caught:
            good.checkout.sessions.create(params={**wanted(), "metadata": {"k" * 41: "v"}})
        self.assertEqual(caught.exception.http_status, 400)
        self.assertTrue(caught.exception.request_id.startswith("req_"))

    def test_idempotency(self):
        good = client(new_key()).v1
        options = {"idempotency_key": secrets.token_hex(8)}
        first = good.checkout.sessions.create(params=wanted(), options=options)
        again = good.checkout.sessions.create(params=wanted(), options=options)
        self.assertEqual(first.id, again.id)
        self.assertEqual(again.last_response.headers["Idempotent-Replayed"], "true")
        with self.assertRaises(stripe.IdempotencyError):
            good.checkout.sessions.create(params=wanted(locale="fr"), options=options)
        # A refused request does not use up its key.
        options = {"idempotency_key": secrets.token_hex(8)}
        with self.assertRaises(stripe.InvalidRequestError):
            good.checkout.sessions.create(params=wanted(foo=1), options=options)
        good.checkout.sessions.create(params=wanted(), options=options)

    def test_faults_and_retries(self):
        key = new_key()
        retrying = client(key, max_network_retries=2).v1
        for fault in ["timeout_after_accept", "error_500", "error_500_after_accept", "html_502"]:
            control("/_control/faults", {"operation": "checkout.sessions.create", "fault": fault, "account": key})
            retrying.checkout.sessions.create(params=wanted())
        stats = requests.get(f"{URL}/_control/stats", params={"account": key}, timeout=20).json()
        self.assertEqual(stats["sessions"], 4)
        control("/_control/faults", {"operation": "balance.retrieve", "fault": "rate_limit_429", "count": 9, "account": key})
        with self.assertRaises(stripe.RateLimitError):
            client(key, max_network_retries=0).v1.balance.retrieve()


class Webhooks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()

    def wait_for(self, count):
        end = time.monotonic() + 10
        while len(Receiver.received) < count:
            self.assertLess(time.monotonic(), end, "waited too long for webhooks")
            time.sleep(0.05)

    def test_signed_retried_verified(self):
        key = new_key()
        own = client(key)
        control("/_control/webhooks", {"account": key, "retry_scale": 0.02})
        endpoint = own.v1.webhook_endpoints.create(
            params={"url": f"http://127.0.0.1:{self.server.server_port}/", "enabled_events": ["*"]}
        )
        Receiver.refuse = 1
        session = own.v1.checkout.sessions.create(params=wanted())
        card(session, "4242424242424242")
        self.wait_for(5)
        accepted = []
        for status, body, signature in Receiver.received:
            event = stripe.Webhook.construct_event(body, signature, endpoint.secret)
            if status == 200:
                accepted.append(event["id"])
            for wrong in [(body.replace(b"evt_", b"evx_"), endpoint.secret), (body, "whsec_other")]:
                with self.assertRaises(stripe.SignatureVerificationError):
                    stripe.Webhook.construct_event(wrong[0], signature, wrong[1])
        self.assertEqual(len(set(accepted)), 4)
        kinds = {json.loads(body)["type"] for _, body, _ in Receiver.received}
        self.assertIn("checkout.session.completed", kinds)
        updated = own.v1.webhook_endpoints.update(endpoint.id, params={"enabled_events": ["charge.failed"]})
        self.assertEqual(updated.enabled_events, ["charge.failed"])
        self.assertTrue(own.v1.webhook_endpoints.delete(endpoint.id).deleted)
        self.assertEqual(own.v1.webhook_endpoints.list().data, [])


if __name__ == "__main__":
    unittest.main()
