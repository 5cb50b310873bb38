// What was most likely meant by a word that is not known.

/** ` (did you mean serve?)`, to be put behind a message; empty when nothing is near enough. */
export function didYouMean(word: string, known: Iterable<string>): string {
  let nearest: { readonly name: string; readonly distance: number } | undefined;
  for (const name of known) {
    const distance = editDistance(word.toLowerCase(), name.toLowerCase());
    if (distance < (nearest?.distance ?? Number.POSITIVE_INFINITY)) nearest = { name, distance };
  }
  // A third of the letters may be wrong: `sevre` for `serve`, but not `x` for `-h`.
  if (nearest === undefined || nearest.distance > Math.floor(Math.max(word.length, nearest.name.length) / 3)) return '';
  return ` (did you mean ${nearest.name}?)`;
}

/**
 * Letters to insert, delete, replace or swap with their neighbour (optimal string alignment). Words longer than 64:
 * cut.
 */
function editDistance(from: string, to: string): number {
  const [a, b] = [from.slice(0, MAX_LETTERS), to.slice(0, MAX_LETTERS)];
  let [before, row]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      next.push(least);
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}

const MAX_LETTERS = 64;
