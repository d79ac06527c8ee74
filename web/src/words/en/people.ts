/** People and their rights: accounts of the server, and who may do what with a car. */

import { pluralIn } from "../plural";

const plural = pluralIn("en");

export const people = {
  title: "People",
  intro: "Everybody who has an account on this server.",
  accounts: "Accounts",
  admin: "Admin",
  cars: (cars: number) => plural(cars, { one: "1 car", other: `${cars} cars` }),
  seen: (moment: string) => `, last seen ${moment}`,
  notSignedIn: ", not signed in",
  noPassword: ", no password",
  makeAdmin: "Make admin",
  makeMember: "Make member",
  makeAdminOf: (name: string) => `Make admin: ${name}`,
  makeMemberOf: (name: string) => `Make member: ${name}`,
  link: "Password link",
  linkOf: (name: string) => `Password link for ${name}`,
  remove: "Remove",
  removeOf: (name: string) => `Remove ${name}`,
  linkFor: (name: string) => `Link for ${name}`,
  passOn: (name: string, until: string) =>
    `Pass it on. Whoever opens it chooses the password of ${name}, once, until ${until}.`,
  addTitle: "Add somebody",
  add: "Add",
  name: "Name",
  adminDoes: "Admin: manages people and releases, and counts as the owner of every car",
  linkComes: "You get a link by which they choose a password.",
  removeThis: (name: string) => `Remove ${name}?`,
  removeText: (name: string) => `All sign-ins and drives of ${name} end at once.`,
  carsGoTo: (cars: number) =>
    plural(cars, { one: "The car goes to", other: `The ${cars} cars go to` }),
  nobody: "nobody, until there is an account of this name again",
  keep: "Keep the account",
  removeIt: "Remove it",
};

export const sharing = {
  open: "Share",
  nobodys: "Nobody's",
  mayOnlySee: (owner: string | null) =>
    `You may see this car. Ask ${owner ?? "an admin"} for the right to drive it.`,
  title: (car: string) => `Share ${car}`,
  everybody: "Everybody on this server may",
  nothing: "Not even see it",
  spectator: "See it in the list",
  driver: "See and drive it",
  account: "Name of the account",
  may: "May",
  share: "Share it",
  takeBack: "Take back",
  takeBackFrom: (name: string) => `Take back: ${name}`,
  endsAtOnce:
    "If you take a right back, a drive under way ends at once. Admins of the server may always do everything.",
  takeThis: (car: string) => `Take ${car} back?`,
  takeText:
    "The drive under way ends at once. The car brakes as when its link is lost, and its driver is told who took it.",
  leaveIt: "Leave it",
  takeIt: "Take it back",
};
