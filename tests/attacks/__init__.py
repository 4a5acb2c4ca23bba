"""A session of attacks: what somebody tries who means harm, from outside, from inside, from next door."""
