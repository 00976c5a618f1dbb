/** Times as people write them in our own files: `10s`, `1m30s`, `500ms`. Go's grammar, which a kubelet speaks, is elsewhere. */
const PLAIN_DURATION = /^(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?$/u;

/** Milliseconds; undefined when the text is not such a time. Largest unit first, each unit once, whole numbers only. */
export function parsePlainDuration(text: string): number | undefined {
  const match = PLAIN_DURATION.exec(text);
  if (match === null || text === '') return undefined;
  const [hours = 0, minutes = 0, seconds = 0, milliseconds = 0] = match.slice(1).map((digits) => Number(digits ?? 0));
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds;
}
