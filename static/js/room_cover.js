// Offers to go on with the play that this browser began; the page itself is the same for everybody.
if (document.cookie.split("; ").includes("sp_going=1")) {
  for (const one of document.querySelectorAll("[data-resume]")) one.hidden = false;
  const fresh = document.createElement("input");
  Object.assign(fresh, { type: "hidden", name: "fresh", value: "1" });
  document.querySelector("[data-begin]").append(fresh);
}
