// What a load did, and what it refused and why.
import type { AllCounts, Report } from "../../api/types";
import { CountSigns, number } from "../../parts/values";

export function CountTable({ counts }: { counts: AllCounts }) {
  return <dl class="feature-list is-counts">{(["nodes", "edges", "merges"] as const).map((what) => <div key={what}><dt>{what}</dt><dd><CountSigns {...counts[what]} /></dd></div>)}</dl>;
}

export function ReportView({ report }: { report: Report }) {
  return (
    <div class="report">
      <p class="lead-text"><b>{number(report.events)}</b> events accepted, <b>{number(report.unchanged)}</b> elements unchanged, <b class={report.rejected ? "is-goes" : undefined}>{number(report.rejected)}</b> records refused, in {report.seconds.toFixed(2)} s{report.commit === null && "; nothing was written"}</p>
      <CountTable counts={report.counts} />
      {report.warnings.map((warning) => <p key={warning} class="notice">{warning}</p>)}
      {report.rejected > 0 && (
        <>
          <h3>Refused</h3>
          <ul class="reasons">{report.reasons.map((row) => <li key={row.reason}><b>{number(row.n)}</b> {row.reason}</li>)}</ul>
          <div class="scroll is-short" tabIndex={0} role="region" aria-label="Refused records">
            <table class="rows is-tight"><thead><tr><th scope="col">Where</th><th scope="col">Why</th><th scope="col">Record</th></tr></thead>
              <tbody>{report.rejects.map((row, i) => <tr key={i}><td class="is-nowrap">{row.file}:{row.line}</td><td>{row.reason}</td><td><code>{row.record}</code></td></tr>)}</tbody></table>
          </div>
          {report.rejects.length < report.rejected && <p class="none">The first {number(report.rejects.length)} of {number(report.rejected)}</p>}
        </>
      )}
    </div>
  );
}
