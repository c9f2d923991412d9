"""The only place that knows the order of the stages.

Each step reads what it needs from the store, does its work, and saves its result in one transaction;
what is pending is a query. A healer that dies is replaced by one that looks again.
"""
