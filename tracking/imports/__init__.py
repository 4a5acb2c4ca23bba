"""What others counted, brought in: article statistics, SMS receipts, livestreams, apps, screens in outlets.

One flow: a file → `table` (its cells) → `mapping` (which column says what, and constants for what no column
says) → `checking` (every fault, or the lines that will count) → `register.submit` (file and lines kept, four
eyes asked by the hash of both) → approved → `depositing` puts the lines into the spool under the import's
name → the drain. `standing` sources bring theirs in by themselves, agreed to once. Undoing is an import of the same lines with their signs turned, approved by four eyes too.
"""
