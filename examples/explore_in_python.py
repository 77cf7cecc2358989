"""A week in Python: what models cost, the dearest calls, a score for each. Needs the variables of connection.env."""

import heliograph
from heliograph import col

with heliograph.connect() as project:
    by_model = project.sql("""
        select model, count() as calls, round(sum(cost), 4) as dollars, round(quantile(0.9)(latency), 2) as p90_seconds
        from observations where start_time > now() - interval 7 day and model != '' group by model order by dollars desc
    """)
    print(by_model.to_pandas().to_string(index=False))

    dear = project.observations(since="7d", where=(col.type == "GENERATION") & (col.cost > 0.001))
    print(f"{dear.count():,} generations cost more than a tenth of a cent; the newest of them:")
    newest = dear.select(["trace_id", "id", "model", "cost", "output"]).limit(100).to_pandas()
    print(newest.drop(columns="output").head().to_string(index=False))

    newest["value"] = newest["output"].str.len().clip(upper=1000) / 1000
    scores = newest.rename(columns={"id": "observation_id"})[["trace_id", "observation_id", "value"]]
    report = project.scores.write(scores, name="length")
    print(f"{report.written} scores written, {len(report.refused)} rows refused")
