/** What transport-encryption asks for, and who is trusted with TLS. */
export interface Encryption {
  /** Whether the data plane takes events with TLS: not at all, beside http, or alone. */
  mode(): 'disabled' | 'permissive' | 'strict'
  /** Authorities in PEM that every delivery trusts; the same array until they change. */
  trustBundles(): readonly string[]
  /** Whether the certificate that this process shows for a host stands up to someone who trusts these authorities (PEM). */
  vouches(hostname: string, caCerts: string): boolean
}

const NOBODY: readonly string[] = []

/** While transport-encryption is off. */
export const NO_ENCRYPTION: Encryption = {
  mode: () => 'disabled',
  trustBundles: () => NOBODY,
  vouches: () => false,
}
