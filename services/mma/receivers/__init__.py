"""Where notices come from: GCN's Kafka, VTP brokers, HTTP, a folder.

Each receiver hands what came, byte for byte, to one intake, which answers when Kafka has it; only
then does the receiver acknowledge. A new way in is one file here and one line in ``receive.py``.
"""
