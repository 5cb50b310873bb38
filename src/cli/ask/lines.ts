// Lines, tables and their cells for people, out of values of the JSON form of messages. Control characters of a value
// never reach the terminal.

import type { JsonObject, JsonValue } from '../../wire/proto-json.ts';

/** One row of a table whose longest cells are not known yet. */
export function rowLine(cells: readonly string[]): string {
  return cells
    .map((cell, column) => cell.padEnd(ROW_WIDTHS[column] ?? 0))
    .join('  ')
    .trimEnd();
}

/** Columns as wide as their widest cell; the last one is not padded. */
export function tableLines(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

const TERM_WIDTH = 'UNCERTAIN'.length;

/** Address with a port, outcome, target, workload: most names fit. */
const ROW_WIDTHS = [21, 10, 44];

export function termLines(rows: readonly (readonly [string, string])[]): string[] {
  return rows.map(([term, value]) => `${term.padEnd(TERM_WIDTH)}  ${value}`);
}

/** `Deployment shop/web` of a reference or a workload. */
export function referenceText(reference: JsonValue | undefined): string {
  if (reference === undefined) return '';
  const { kind, namespace, name, incomplete, hidden } = reference as JsonObject;
  if (hidden === true) return 'hidden';
  return `${text(kind)} ${fullName(text(namespace), text(name))}${incomplete === true ? ' (incomplete)' : ''}`;
}

export function references(value: JsonValue | undefined): readonly string[] {
  return ((value ?? []) as readonly JsonObject[]).map(referenceText);
}

export function fullName(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

export function named(term: string, value: JsonValue | undefined): string {
  return value === undefined || value === '' ? '' : `${term} ${text(value)}`;
}

export function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('  ');
}

export function text(value: JsonValue | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? printable(String(value)) : '';
}

export function texts(value: JsonValue | undefined): readonly string[] {
  return ((value ?? []) as readonly string[]).map(printable);
}

// Kubernetes lets none of these into names, but what prints to a terminal should not have to trust its source.
function printable(value: string): string {
  // oxlint-disable-next-line no-control-regex
  return value.replace(/[\u0000-\u001f\u007f-\u009f]/g, '�');
}
