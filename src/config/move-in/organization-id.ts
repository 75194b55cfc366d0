/** An id for the organization that an import is for. */

/** The first label of its domain where that can be an id: `contoso` of contoso.com. */
export function organizationIdFor(domain: string | null): string {
  const [label = ''] = (domain ?? '').split('.');
  return /^[a-z0-9][a-z0-9-]{0,62}$/.test(label) ? label : 'organization';
}

/** Whether it can be one, for ids that people choose. */
export function isOrganizationId(id: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,62}$/.test(id);
}
