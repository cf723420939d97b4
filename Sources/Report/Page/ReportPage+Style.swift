extension ReportPage {
    /// Sober on purpose: one accent, eight colours for eight expressions, each at least 3 : 1 against its ground, text
    /// at least 4.5 : 1, in both schemes.
    static let style: StaticString = """

        :root {
          color-scheme: light dark;
          --ground: #f6f5f2; --sheet: #ffffff; --sunk: #efeeea; --line: #dcdad3; --ink: #1d2026; --soft: #595f69;
          --accent: #14606b; --bad: #a52a1e; --good: #1f6b3a;
          --neutral: #747b87; --happy: #b4770c; --sad: #2f6bb3; --surprised: #7e55d9; --fearful: #0e7a72;
          --disgusted: #55791a; --angry: #c23a2d; --contemptuous: #a3329b;
          font: 400 16px/1.5 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --ground: #121417; --sheet: #1b1e23; --sunk: #23272d; --line: #363b43; --ink: #e8e9eb; --soft: #a4abb6;
            --accent: #6cc5d1; --bad: #f1897c; --good: #7fcb98;
            --neutral: #949ba8; --happy: #e2b04a; --sad: #6aa5ea; --surprised: #b095f6; --fearful: #46bdb2;
            --disgusted: #9dc04e; --angry: #ef7a6d; --contemptuous: #de78d5;
          }
        }
        * { box-sizing: border-box; }
        html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
        body { margin: 0; background: var(--ground); color: var(--ink); }
        .page { max-width: 68rem; margin: 0 auto; padding: clamp(1rem, 4vw, 3rem) clamp(.875rem, 4vw, 2.5rem) 4rem; }
        h1, h2, h3, h4, p, ul, ol, dl, dd, figure { margin: 0; padding: 0; }
        ul, ol { list-style: none; }
        h1 { font-size: clamp(1.5rem, 5vw, 2.25rem); line-height: 1.15; letter-spacing: -.02em; font-weight: 650;
          overflow-wrap: anywhere; }
        h2 { font-size: 1.25rem; font-weight: 650; letter-spacing: -.01em; margin: 3rem 0 .875rem; }
        h3 { font-size: 1.0625rem; font-weight: 650; }
        h3.group { margin: 1.5rem 0 .5rem; overflow-wrap: anywhere; }
        h3.group .quiet { font-weight: 400; margin-left: .5rem; }
        h4 { font-size: .75rem; font-weight: 600; letter-spacing: .06em; text-transform: uppercase; color: var(--soft);
          margin-bottom: .5rem; }
        bdi, dd { overflow-wrap: anywhere; }
        table, table bdi { overflow-wrap: break-word; }
        a { color: var(--accent); text-underline-offset: .15em; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
        [hidden] { display: none !important; }
        .quiet { color: var(--soft); }
        .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
        .skip { position: absolute; left: -99rem; }
        .skip:focus { left: 1rem; top: 1rem; z-index: 2; background: var(--sheet); padding: .5rem .75rem; }

        .kicker { color: var(--accent); font-size: .8125rem; font-weight: 600; letter-spacing: .06em;
          text-transform: uppercase; margin-bottom: .5rem; }
        .lede { color: var(--soft); font-size: 1.0625rem; margin-top: .5rem; }
        .tiles { display: flex; flex-wrap: wrap; gap: 1px; background: var(--line); border: 1px solid var(--line); border-radius: .625rem; overflow: hidden;
          margin-top: 1.75rem; }
        .tiles div { flex: 1 1 8.5rem; background: var(--sheet); padding: .75rem 1rem .8125rem; }
        .tiles dt { font-size: .8125rem; color: var(--soft); }
        .tiles dd { font-size: 1.375rem; font-weight: 600; letter-spacing: -.01em; font-variant-numeric: tabular-nums; }
        .notices { margin-top: 1.25rem; border-left: 3px solid var(--bad); padding: .125rem 0 .125rem .875rem; }
        .good { color: var(--good); }
        .ledger ~ .good, p.good { margin-top: .5rem; }

        .shares { display: flex; flex-wrap: wrap; gap: .125rem .9rem; font-size: .875rem; }
        .shares li { display: inline-flex; align-items: center; gap: .35rem; }
        .shares b { font-weight: 600; font-variant-numeric: tabular-nums; }
        .legend { margin-bottom: .875rem; color: var(--soft); }
        .swatch i { display: block; width: .75rem; height: .75rem; border-radius: 3px; }
        .x-neutral { background: var(--neutral); } .x-happy { background: var(--happy); }
        .x-sad { background: var(--sad); } .x-surprised { background: var(--surprised); }
        .x-fearful { background: var(--fearful); } .x-disgusted { background: var(--disgusted); }
        .x-angry { background: var(--angry); } .x-contemptuous { background: var(--contemptuous); }

        .timeline { background: var(--sheet); border: 1px solid var(--line); border-radius: .625rem;
          padding: .75rem 1rem 1rem; --names: 3.75rem; }
        .timeline.long { max-height: 80vh; overflow-y: auto; }
        .timeline.long .axis { position: sticky; top: -.75rem; background: var(--sheet); z-index: 1; }
        .axis { position: relative; height: 1.75rem; margin-left: var(--names); }
        .axis span { position: absolute; top: .125rem; font-size: .75rem; color: var(--soft);
          font-variant-numeric: tabular-nums; transform: translateX(-50%); }
        .axis span:first-child { transform: none; }
        .axis span:last-child:not(:first-child) { transform: translateX(-75%); }
        .rows { position: relative; }
        .gridlines { position: absolute; inset: 0 0 0 var(--names); }
        .gridlines i { position: absolute; top: 0; bottom: 0; width: 1px; background: var(--line); }
        .rows ol { position: relative; }
        .rows li { display: grid; grid-template-columns: var(--names) 1fr; align-items: center; min-height: 1.625rem; }
        .rows li.dim .lane { opacity: .3; }
        .rows li.dim a { color: var(--soft); }
        .rows a { position: relative; font-size: .8125rem; font-variant-numeric: tabular-nums; padding-right: .5rem; line-height: 1.625rem;
          white-space: nowrap; overflow: hidden; text-overflow: ellipsis; text-decoration: none; }
        .rows a:hover { text-decoration: underline; }
        .lane { position: relative; height: .875rem; }
        .bar { position: absolute; inset: 0 auto; min-width: 3px; border-radius: 3px; overflow: hidden; }
        .bar, .ribbon, .x-none { background: repeating-linear-gradient(135deg, var(--soft) 0 1px, var(--sunk) 1px 5px);
          box-shadow: inset 0 0 0 1px var(--soft); }
        .bar i, .ribbon i { position: absolute; top: 0; bottom: 0; }
        .bar i + i, .ribbon i + i { border-left: 1px solid var(--sheet); }

        .filters { display: flex; flex-wrap: wrap; gap: .5rem .875rem; align-items: center; margin-bottom: 1rem;
          font-size: .875rem; color: var(--soft); }
        .filters label { display: inline-flex; align-items: center; gap: .375rem; min-width: 0; }
        .filters input, .filters select { font: inherit; color: var(--ink); background: var(--sheet);
          border: 1px solid color-mix(in srgb, var(--soft) 70%, transparent); border-radius: .375rem;
          padding: .3125rem .5rem; min-height: 2.25rem; min-width: 0; max-width: min(100%, 20rem); }
        .filters input[type=number] { width: 5rem; }
        .filters ::placeholder { color: var(--soft); opacity: 1; }
        .cards { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; }
        .card { background: var(--sheet); border: 1px solid var(--line); border-radius: .625rem;
          padding: 1rem 1.125rem 1.125rem; min-width: 0; }
        .card:target { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
        .card > header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .125rem .875rem;
          margin-bottom: .875rem; }
        .facts { color: var(--soft); font-size: .875rem; font-variant-numeric: tabular-nums; }
        .facts span + span::before { content: "·"; margin: 0 .4em; }
        .body.has-side { display: grid; grid-template-columns: 12rem minmax(0, 1fr); gap: 1.25rem 1.75rem; }
        .side { display: grid; gap: 1rem; align-content: start; }
        .main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.25rem; align-content: start; }
        figcaption { font-size: .8125rem; color: var(--soft); margin-top: .375rem; font-variant-numeric: tabular-nums; }
        .shot img { display: block; width: 100%; height: auto; aspect-ratio: 1; object-fit: cover;
          border-radius: .5rem; background: var(--sunk); }
        .pose svg { display: block; width: 100%; height: auto; }
        .pose .frame { fill: var(--sunk); }
        .pose .grid, .pose .ring { fill: none; stroke: var(--line); stroke-width: 1; }
        .pose .dots { fill: none; stroke: var(--accent); stroke-width: 5; stroke-linecap: round; stroke-opacity: .55; }
        .pose .median { fill: none; stroke: var(--ink); stroke-width: 2; }
        .pose text { font-size: 11px; fill: var(--soft); }
        .ribbon { position: relative; height: 1.5rem; border-radius: .25rem; overflow: hidden; }
        .ribbon .answer { width: 7px; height: 7px; top: auto; bottom: 3px; border-radius: 50%; background: var(--ink);
          border: 1px solid var(--sheet); transform: translateX(-50%); }
        .ends { display: flex; justify-content: space-between; font-size: .75rem; color: var(--soft);
          font-variant-numeric: tabular-nums; margin: .125rem 0 .375rem; }
        .whole { font-size: 1.0625rem; line-height: 1.45; }
        .sentences, .story { font-size: .9375rem; }
        .whole + .sentences, .whole + details { margin-top: .5rem; }
        .sentences li, .story li { display: grid; grid-template-columns: 4.5rem minmax(0, 1fr); gap: .5rem;
          padding: .25rem 0; }
        .sentences time, .story time { color: var(--soft); font-variant-numeric: tabular-nums; font-size: .8125rem;
          line-height: 1.4375rem; }
        .story li { grid-template-columns: 13rem minmax(0, 1fr); border-top: 1px solid var(--line); padding: .375rem 0; }
        .story li:first-child { border-top: 0; }
        .story li > span:only-child { grid-column: 1 / -1; }
        .story b { font-weight: 600; }
        .story .gap, .story .error { color: var(--bad); }
        .method { font-size: .75rem; color: var(--accent); border: 1px solid currentColor; border-radius: .25rem;
          padding: 0 .3125rem; margin-left: .5rem; white-space: nowrap; }
        .question { display: block; font-size: .8125rem; color: var(--soft); }
        summary { cursor: pointer; color: var(--accent); font-size: .875rem; width: fit-content; padding: .125rem 0; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; font-size: .9375rem; width: 100%; }
        th, td { text-align: left; vertical-align: top; padding: .3125rem 1rem .3125rem 0; font-weight: 400; }
        td:last-child, th:last-child { padding-right: 0; }
        thead th { font-size: .8125rem; color: var(--soft); padding-top: 0; }
        tbody tr { border-top: 1px solid var(--line); }
        tbody th { color: var(--soft); }
        td { font-variant-numeric: tabular-nums; }
        .note { display: block; font-size: .8125rem; color: var(--soft); }
        .ledger tr:first-child { border-top: 0; }
        .ledger .number { text-align: right; font-weight: 600; white-space: nowrap; }
        .parts { display: flex; flex-wrap: wrap; gap: .125rem 1rem; color: var(--soft); }
        .parts b { color: var(--ink); font-weight: 500; }
        .pairs { font-size: .9375rem; margin-bottom: .75rem; }
        .pairs div { display: grid; grid-template-columns: 7rem minmax(0, 1fr); gap: .5rem; padding: .125rem 0; }
        .pairs dt { color: var(--soft); overflow-wrap: anywhere; }
        details .pairs { margin-top: .5rem; }
        .plain li { padding: .125rem 0; }
        footer { margin-top: 3.5rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft);
          font-size: .875rem; max-width: 46rem; }

        @media (max-width: 40rem) {
          .body.has-side { grid-template-columns: minmax(0, 1fr); }
          .side { grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); max-width: 26rem; }
          .timeline { --names: 2.75rem; padding: .625rem .75rem .75rem; }
          .axis span:nth-child(even) { display: none; }
          .story li { grid-template-columns: minmax(0, 1fr); gap: 0; }
          .card { padding: .875rem; }
          th, td { padding-right: .625rem; }
          .filters label:first-child, .filters label:first-child input { flex: 1 1 100%; width: 100%; }
        }
        @media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
        @media print {
          body { background: none; }
          .card, .timeline { break-inside: avoid; }
          .filters, .skip { display: none; }
          i { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
        }

        """
}
