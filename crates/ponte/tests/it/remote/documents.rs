//! The page about the owner's side lists every route of the API, in both languages, as the router has it.

use ponte::admin::auth::{Access, Role, RouteAccess};

const ENGLISH: &str = include_str!("../../../../../docs/admin.md");
const PORTUGUESE: &str = include_str!("../../../../../docs/admin.pt-BR.md");

#[test]
fn every_route_of_the_api_is_in_the_documents() {
    for (page, everybody, this_machine) in [
        (ENGLISH, "everybody", "this machine"),
        (PORTUGUESE, "todos", "esta máquina"),
    ] {
        let routes = ponte::admin::routes();
        let of_api = |route: &&RouteAccess| {
            !matches!(route.access, Access::Page(_)) && !is_a_page(route.path)
        };
        let mut wanted: Vec<(String, &str)> = routes
            .iter()
            .filter(of_api)
            .map(|route| {
                let who = match route.access {
                    Access::Open => everybody,
                    Access::Api(Role::View) => "view",
                    Access::Api(Role::Operate) => "operate",
                    Access::Local => this_machine,
                    Access::Page(_) => unreachable!("pages are left out"),
                };
                (format!("{} {}", route.method, route.path), who)
            })
            .collect();
        let mut listed: Vec<(String, &str)> = page.lines().filter_map(row).collect();
        wanted.sort();
        listed.sort();
        assert_eq!(listed, wanted);
    }
}

/// What a browser is shown without being signed in.
fn is_a_page(path: &str) -> bool {
    ["/style.css", "/language/{code}", "/login", "/login/code"].contains(&path)
}

/// The route of a row such as `` | `GET /healthz` | everybody | … | ``, and who may call it.
fn row(line: &str) -> Option<(String, &str)> {
    let mut cells = line.strip_prefix("| `")?.split(" | ");
    let route = cells.next()?.strip_suffix('`')?;
    let is_route = route.starts_with("GET /") || route.starts_with("POST /");
    Some((route.to_owned(), cells.next()?)).filter(|_| is_route)
}
