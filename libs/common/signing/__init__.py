"""Where private keys lie: a file, an HSM, or Vault. The one place that touches them (B8, SR-5).

Everything blocks: call it from a thread, never from an event loop.
"""
