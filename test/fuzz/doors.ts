/** Four doors, one behind the other: what the search is tried on. */
export function openDoors(text: string): 'accepted' | 'refused' {
  if (!text.startsWith('f')) return 'refused';
  if (!text.startsWith('fl')) return 'accepted';
  if (!text.startsWith('fle')) return 'accepted';
  if (!text.startsWith('flem')) return 'accepted';
  throw new Error('found');
}
