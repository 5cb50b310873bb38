// Makes characters visible that would act on a terminal or begin a line of their own in a log: what a caller sends must
// not look like something that this service says.

/** Control characters (C0, DEL, C1) and the line separators of Unicode, as `\u000a`. */
export function escapeControls(text: string): string {
  return ACTING.test(text) ? text.replace(ALL_ACTING, toEscape) : text;
}

// Control characters are what this is about.
// oxlint-disable-next-line no-control-regex
const ACTING = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const ALL_ACTING = new RegExp(ACTING, 'g');

function toEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
