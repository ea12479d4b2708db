"""A private Asterisk and a scripted SIP phone, for the demo and the tests."""
