"""Why an incident happens: its function, its neighbours, similar cases, and ranked hypotheses.

Pure: source comes in through a reading function, facts through the `Dossier`. Every sentence of a
`Diagnosis` refers to a fact that can be looked up.
"""
