/** A number of hosts as people say it. Words only. */
export function countHosts(count: number): string {
  return count === 1 ? '1 host' : `${count} hosts`;
}
