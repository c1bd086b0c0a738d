export const ACCESS_MODES: readonly string[] = ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod']
export const VOLUME_MODES: readonly string[] = ['Block', 'Filesystem']

const SHORT = ['RWO', 'ROX', 'RWX', 'RWOP']

/** `RWO,ROX`: how kubectl's tables name access modes. */
export function accessModesText(modes: readonly string[] = []): string {
  return ACCESS_MODES.flatMap((mode, index) => (modes.includes(mode) ? [SHORT[index]!] : [])).join(',')
}
