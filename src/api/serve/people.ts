/** Serves people and invitations. */
import {
  acceptRoute,
  inviteRoute,
  peopleRoute,
  personAddRoute,
  personChangeRoute,
  personRemoveRoute,
  personRoute,
} from '../routes/people.ts';
import { credentialsOf } from './let-in.ts';
import { actorOf } from './reach.ts';
import type { Serving } from './serving.ts';

export function servePeople({ app, services }: Serving): void {
  const { people } = services;
  app.openapi(peopleRoute, (c) => c.json(people.listPeople(), 200));
  app.openapi(personAddRoute, (c) =>
    c.json(people.addPerson(c.req.valid('json'), actorOf(c)), 201),
  );
  app.openapi(personRoute, (c) => c.json(people.readPerson(c.req.valid('param').name), 200));
  app.openapi(personChangeRoute, async (c) => {
    const { name } = c.req.valid('param');
    return c.json(await people.changePerson(name, c.req.valid('json'), actorOf(c)), 200);
  });
  app.openapi(personRemoveRoute, (c) => {
    const { reason = null } = c.req.valid('query');
    people.removePerson(c.req.valid('param').name, reason, actorOf(c));
    return c.body(null, 204);
  });
  app.openapi(inviteRoute, (c) => {
    const { person } = c.req.valid('json');
    return c.json(people.invite(person, actorOf(c)), 201);
  });
  app.openapi(acceptRoute, async (c) => {
    const name = await people.accept(c.req.valid('json'), credentialsOf(c));
    return c.json({ name }, 200);
  });
}
