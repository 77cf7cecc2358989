"""Evaluators that ask a judge: each has a rubric of ours and says where its idea comes from."""
