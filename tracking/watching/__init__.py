"""Alarms about reach: visits that jump, fall away or stop, per outlet and channel, told once while they last.

`rules` says what is out of the ordinary (numbers in, findings out), `series` reads the visits by day, `looking`
puts both together and folds what has one cause, `alarms` keeps what was found and who took care of it, `watch`
does it every morning and writes to who asked for it.

Watched are visits (`visited`): they come by themselves and steadily. What we send and whom we count at activities
comes when we send and count, and would ring every time.
"""
