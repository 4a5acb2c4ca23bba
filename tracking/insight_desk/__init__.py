"""Staff pages beside the report: growth, funnel, outlets like one another, campaigns, targets, notes.

Responsible for one page per module on one blueprint (`routes`); what they share is in `frame`. May import what
`tracking.desk` may. The flow: address → `chosen` → `insight` → page, or the same as a sheet (`?export=`).
"""
