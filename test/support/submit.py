"""Submits one message by Python's smtplib; prints what happened as JSON.

Arguments: mode (starttls | implicit), port, password, body type (7BIT | 8BITMIME), file.
"""

import json
import smtplib
import ssl
import sys

mode, port, password, body_type, file = sys.argv[1:]
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
if mode == "implicit":
    client = smtplib.SMTP_SSL("127.0.0.1", int(port), context=context, timeout=60)
else:
    client = smtplib.SMTP("127.0.0.1", int(port), timeout=60)
    client.starttls(context=context)
client.login("user", password)
with open(file, "rb") as source:
    content = source.read()
options = ["BODY=8BITMIME"] if body_type == "8BITMIME" else []
client.mail("user@example.test", options)
client.rcpt("user@example.test")
code, text = client.data(content)
client.quit()
print(json.dumps({"code": code, "text": text.decode()}))
