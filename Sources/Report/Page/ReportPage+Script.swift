extension ReportPage {
    /// What the policy in the page's head allows to run: `script`, and nothing else.
    ///
    /// The SHA-256 of its bytes in Base64; a test computes it anew.
    static let scriptHash = "sha256-zeAljVR7lXMD4nHAG7DxXTCDBKAQ9yUOzoabO6wvbwQ="

    /// Filters cards and rows; everything can be read without it.
    static let script: StaticString = """

        (() => {
          const form = document.getElementById('filters');
          if (!form) return;
          const field = id => document.getElementById(id);
          const text = field('f-text'), source = field('f-source'), expression = field('f-expression');
          const seconds = field('f-seconds'), count = field('f-count');
          const cards = [...document.querySelectorAll('.card')].map(card => ({
            card, words: card.textContent.toLowerCase(),
            row: document.querySelector('.timeline a[href="#' + card.id + '"]')?.closest('li')
          }));
          const apply = () => {
            const words = text.value.toLowerCase().split(/\\s+/).filter(Boolean);
            const least = parseFloat(seconds.value) || 0;
            let shown = 0;
            for (const { card, words: all, row } of cards) {
              const fits = words.every(word => all.includes(word))
                && (!source?.value || card.dataset.source === source.value)
                && (!expression?.value || card.dataset.expression === expression.value)
                && parseFloat(card.dataset.seconds) >= least;
              card.hidden = !fits;
              if (row) row.classList.toggle('dim', !fits);
              if (fits) shown++;
            }
            count.textContent = shown === cards.length ? '' : shown + ' of ' + cards.length;
          };
          form.addEventListener('input', apply);
          form.addEventListener('submit', event => event.preventDefault());
          form.hidden = false;
          apply();
          addEventListener('hashchange', () => {
            const card = field(location.hash.slice(1));
            if (card?.hidden) { form.reset(); apply(); card.scrollIntoView(); }
          });
        })();

        """
}
