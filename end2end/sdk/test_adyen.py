"""The official Adyen SDK for Python as an outside judge of the sandbox."""

import copy
import json
import os
import secrets
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import Adyen
import requests
from Adyen import exceptions
from Adyen.util import is_valid_hmac_notification

URL = os.environ.get("SANDBOX_URL", "http://127.0.0.1:3400").rstrip("/")
MERCHANT = "TillDemo"


class Shop:
    """A merchant with a key of its own."""

    def __init__(self, key=None, **credentials):
        self.key = key or f"test_{secrets.token_hex(12)}"
        if not credentials:
            credentials = {"xapikey": self.key}
        self.adyen = Adyen.Adyen(platform="test", **credentials)
        checkout = self.adyen.checkout
        # The SDK makes a service anew on every access, so each is kept.
        self.payments, self.links = checkout.payments_api, checkout.payment_links_api
        self.modifications = checkout.modifications_api
        for service in (self.payments, self.links, self.modifications):
            service.baseUrl = f"{URL}/adyen/v72"

    def link(self, **more):
        return self.links.payment_links(wanted(**more)).message

    def pay(self, page, holder="J. Smith", number="4111111111111111"):
        """Types a card on the hosted page."""
        fields = {"number": number, "expiry": "03/30", "cvc": "737", "holderName": holder}
        return requests.post(page["url"], data=fields, allow_redirects=False, timeout=20)

    def paid(self, **more):
        """The PSP reference of a payment on a new link."""
        link = self.link(**more)
        assert self.pay(link).status_code == 303
        return self.listed("payments", checkout=link["id"])[0]["pspReference"]

    def listed(self, what, **query):
        reply = requests.get(f"{URL}/_control/adyen/{what}", params={"account": self.key, **query}, timeout=20)
        return reply.json()[what]

    def story(self, psp):
        """Code and success of everything told about a payment, oldest first."""
        items = [row["item"] for row in self.listed("notifications", psp=psp)][::-1]
        return [(item["eventCode"], item["success"]) for item in items]


def amount(value, currency="EUR"):
    return {"value": value, "currency": currency}


def wanted(**more):
    body = {
        "merchantAccount": MERCHANT,
        "reference": "order-17",
        "amount": amount(2598),
        "returnUrl": "https://shop.example/back",
        "metadata": {"order": "17"},
    }
    return {**body, **more}


def control(path, body=None):
    reply = requests.post(URL + path, json=body or {}, timeout=20)
    reply.raise_for_status()
    return reply.json()


def pass_time(seconds=1):
    control("/_control/advance", {"seconds": seconds})


class Links(unittest.TestCase):
    def setUp(self):
        self.shop = Shop()

    def test_create_get_expire(self):
        result = self.shop.links.payment_links(wanted(shopperLocale="de-DE"))
        link = result.message
        self.assertEqual((result.status_code, link["status"], link["reusable"]), (201, "active", False))
        self.assertEqual((link["amount"], link["reference"], link["shopperLocale"]), (amount(2598), "order-17", "de-DE"))
        self.assertEqual(self.shop.links.get_payment_link(link["id"]).message, link)
        expired = self.shop.links.update_payment_link({"status": "expired"}, link["id"]).message
        self.assertEqual(expired["status"], "expired")
        with self.assertRaises(exceptions.AdyenAPIUnprocessableEntity):
            self.shop.links.update_payment_link({"status": "expired"}, link["id"])
        self.assertEqual(self.shop.pay(link).status_code, 410)

    def test_paid_link_is_completed(self):
        link = self.shop.link()
        declined = self.shop.pay(link, "NOT_ENOUGH_BALANCE")
        self.assertEqual(declined.status_code, 402)
        self.assertEqual(self.shop.links.get_payment_link(link["id"]).message["status"], "active")
        self.assertIn("redirectResult", parse_qs(urlsplit(self.shop.pay(link).headers["location"]).query))
        self.assertEqual(self.shop.links.get_payment_link(link["id"]).message["status"], "completed")
        self.assertEqual(self.shop.pay(link).status_code, 409)
        self.assertEqual([row["status"] for row in self.shop.listed("payments")], ["Authorised", "Refused"])

    def test_session_result(self):
        session = self.shop.payments.sessions(wanted(mode="hosted")).message
        back = parse_qs(urlsplit(self.shop.pay(session).headers["location"]).query)
        self.assertEqual(back["sessionId"], [session["id"]])
        query = {"sessionResult": back["sessionResult"][0]}
        result = self.shop.payments.get_result_of_payment_session(session["id"], query_parameters=query).message
        self.assertEqual((result["status"], result["payments"][0]["resultCode"]), ("completed", "Authorised"))


class Modifications(unittest.TestCase):
    def setUp(self):
        self.shop = Shop()
        self.api = self.shop.modifications

    def body(self, value=None, **more):
        body = {"merchantAccount": MERCHANT, "reference": "mod-1", **more}
        return body if value is None else {**body, "amount": amount(value)}

    def test_captures_and_refunds(self):
        psp = self.shop.paid(manualCapture=True)
        for value in (1000, 1600, 1598):
            result = self.api.capture_authorised_payment(self.body(value), psp)
            reply = result.message
            self.assertEqual((result.status_code, reply["status"], reply["amount"]), (201, "received", amount(value)))
            self.assertEqual((reply["paymentPspReference"], reply["reference"]), (psp, "mod-1"))
            self.assertEqual((len(result.psp), result.psp == psp), (16, False))
            pass_time()
        refund = self.api.refund_captured_payment(self.body(98, merchantRefundReason="RETURN"), psp).message
        self.assertEqual((refund["status"], refund["merchantRefundReason"]), ("received", "RETURN"))
        self.api.refund_captured_payment(self.body(2501), psp)
        pass_time()
        self.assertEqual(
            self.shop.story(psp),
            [
                ("AUTHORISATION", "true"),
                ("CAPTURE", "true"),
                ("CAPTURE", "false"),
                ("CAPTURE", "true"),
                ("REFUND", "true"),
                ("REFUND", "false"),
            ],
        )

    def test_cancels_and_reversals(self):
        first, second = self.shop.paid(manualCapture=True), self.shop.paid()
        self.api.cancel_authorised_payment_by_psp_reference(self.body(), first)
        self.assertEqual(self.api.refund_or_cancel_payment(self.body(), second).message["status"], "received")
        pass_time()
        self.assertEqual(self.shop.story(first)[-1], ("CANCELLATION", "true"))
        self.assertEqual(self.shop.story(second)[-1], ("CANCEL_OR_REFUND", "true"))
        self.shop.paid(reference="by-reference", captureDelayHours=-1)
        reply = self.api.cancel_authorised_payment(self.body(paymentReference="by-reference")).message
        self.assertEqual((reply["status"], reply["paymentReference"]), ("received", "by-reference"))


class Errors(unittest.TestCase):
    def test_classes(self):
        for key in ("live_0123456789abcdef", "AQEshort"):
            with self.assertRaises(exceptions.AdyenAPIAuthenticationError) as caught:
                Shop(key).link()
            self.assertEqual((caught.exception.status_code, caught.exception.error_code), (401, "000"))
        shop = Shop()
        shop.link()
        with self.assertRaises(exceptions.AdyenAPIInvalidPermission) as caught:
            shop.link(merchantAccount="Another")
        self.assertEqual(caught.exception.error_code, "901")
        for change, code in [({"reference": None}, "130"), ({"amount": amount(1, "XXX")}, "138"), ({"foo": 1}, "702")]:
            with self.assertRaises(exceptions.AdyenAPIUnprocessableEntity) as caught:
                shop.link(**change)
            self.assertEqual((caught.exception.error_code, len(caught.exception.psp)), (code, 16))
        with self.assertRaises(exceptions.AdyenAPIUnprocessableEntity) as caught:
            shop.modifications.refund_or_cancel_payment({"merchantAccount": MERCHANT}, "0000000000000000")
        self.assertEqual(caught.exception.error_code, "167")
        with self.assertRaises(exceptions.AdyenAPICommunicationError):
            shop.links.get_payment_link("PLNOTHING")

    def test_basic_credentials(self):
        key = f"test_{secrets.token_hex(12)}"
        self.assertEqual(Shop(key, username="ws@Company.Till", password=key).link()["status"], "active")

    def test_idempotency(self):
        shop, key = Shop(), secrets.token_hex(16)
        first = shop.links.payment_links(wanted(), idempotency_key=key).message
        self.assertEqual(shop.links.payment_links(wanted(), idempotency_key=key).message, first)
        with self.assertRaises(exceptions.AdyenAPIUnprocessableEntity):
            shop.links.payment_links(wanted(reference="other"), idempotency_key=key)
        with self.assertRaises(exceptions.AdyenAPIUnprocessableEntity):
            shop.links.payment_links(wanted(), idempotency_key="k" * 65)
        # A capture whose reply was lost is not carried out twice.
        psp, key = shop.paid(manualCapture=True), secrets.token_hex(16)
        control(
            "/_control/faults",
            {"operation": "payments.capture", "fault": "error_500_after_accept", "account": shop.key},
        )
        body = {"merchantAccount": MERCHANT, "amount": amount(100)}
        with self.assertRaises(exceptions.AdyenAPICommunicationError):
            shop.modifications.capture_authorised_payment(body, psp, idempotency_key=key)
        shop.modifications.capture_authorised_payment(body, psp, idempotency_key=key)
        pass_time()
        self.assertEqual(shop.listed("payments", psp=psp)[0]["captured"], 100)


class Receiver(BaseHTTPRequestHandler):
    """A merchant's webhook receiver."""

    received = []
    refuse = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        status = 503 if Receiver.refuse > 0 else 202
        Receiver.refuse -= 1
        Receiver.received.append((status, json.loads(body)))
        self.send_response(status)
        self.send_header("content-length", "10")
        self.end_headers()
        self.wfile.write(b"[accepted]")

    def log_message(self, *_):
        pass


class Notifications(unittest.TestCase):
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
            self.assertLess(time.monotonic(), end, "waited too long for notifications")
            time.sleep(0.05)

    def test_signed_retried_verified(self):
        shop, key = Shop(), secrets.token_hex(32).upper()
        url = f"http://127.0.0.1:{self.server.server_port}/"
        control("/_control/adyen/endpoint", {"account": shop.key, "url": url, "hmac_key": key})
        control("/_control/adyen/webhooks", {"account": shop.key, "retry_scale": 0.01})
        Receiver.refuse = 1
        psp = shop.paid(reference="a:b\\c", manualCapture=True)
        shop.modifications.capture_authorised_payment({"merchantAccount": MERCHANT, "amount": amount(2599)}, psp)
        self.wait_for(3)
        for name in ("report", "unknown_event"):
            control(f"/_control/adyen/payments/{psp}/{name}")
        self.wait_for(5)
        for _, body in Receiver.received:
            self.assertEqual(body["live"], "false")
            self.assertTrue(is_valid_hmac_notification(body, key))
            self.assertFalse(is_valid_hmac_notification(body, secrets.token_hex(32)))
            forged = copy.deepcopy(body)
            forged["notificationItems"][0]["NotificationRequestItem"]["amount"]["value"] += 1
            self.assertFalse(is_valid_hmac_notification(forged, key))
        items = [body["notificationItems"][0]["NotificationRequestItem"] for _, body in Receiver.received]
        told = [(item["eventCode"], item["success"]) for item in items]
        authorised, failed = ("AUTHORISATION", "true"), ("CAPTURE", "false")
        self.assertEqual(told[:3], [authorised, authorised, failed])
        self.assertEqual([event for event, _ in told[3:]], ["REPORT_AVAILABLE", "SANDBOX_UNHEARD_OF"])
        self.assertEqual((items[0], items[2]["originalReference"]), (items[1], psp))
        # What was changed on the way does not verify.
        control("/_control/adyen/webhooks", {"account": shop.key, "tamper": True})
        shop.paid()
        self.wait_for(6)
        self.assertFalse(is_valid_hmac_notification(Receiver.received[5][1], key))


if __name__ == "__main__":
    unittest.main()
