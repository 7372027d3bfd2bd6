-- However many attempts a learner makes at one thing, an event about it costs the same: the first, the last and the best
-- of those that count are found by these, without a look at the others.
create index fact_when on fact (learner_id, object_id, kind, occurred_at, event_id) where voided_by is null;

-- The ratio of a score to twelve places, cut and not rounded: thresholds have no more, so that a score is at or above
-- one exactly if its ratio is (M1.28). `div` cuts towards nought, so what is below nought is apart.
create index fact_best on fact (
    learner_id, object_id, kind, (case when points < 0 then -1 else div(points * 1000000000000, out_of) end)
) where voided_by is null and kind = 2;
