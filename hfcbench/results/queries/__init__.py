"""From rows to answers: frames, leaderboards, comparisons, SQL."""
