"""What is said: short sentences in four languages, our own. `VALIDATED` and `HELD_OUT` are never trained on."""

TRAINED: dict[str, tuple[str, ...]] = {
    "en-us": (
        "My brother bought five red apples this morning.",
        "Please open the window before you leave the room.",
        "We never know what the weather will bring.",
        "A small boat moved slowly over the quiet lake.",
        "Could you show me the way to the museum?",
        "The old piano in the hall is out of tune.",
        "Bring both bags, a map, and plenty of water.",
        "She laughed so loudly that everybody turned around.",
        "Which of these pictures do you like the most?",
        "Fresh bread and warm milk, what more do we need?",
        "The next train to the coast leaves at half past four.",
        "Few people have ever seen this valley in winter.",
    ),
    "de": (
        "Wir fahren morgen früh mit dem Zug nach München.",
        "Der kleine Bäcker verkauft auch sonntags Brötchen.",
        "Könnten Sie bitte das Fenster aufmachen?",
        "Mein Bruder wohnt seit vier Jahren am Meer.",
        "Zum Abendessen gibt es Suppe und frisches Obst.",
        "Warum hast du mir davon nichts erzählt?",
        "Die Vögel sitzen auf dem hohen Baum vor unserem Haus.",
        "Bei Wind und Regen bleibt das Boot im Hafen.",
        "Zwölf Boxer jagen niemanden, sie üben bloß.",
        "Heute Abend spielen wir zusammen Klavier.",
    ),
    "es": (
        "Mi abuela prepara una sopa muy buena los domingos.",
        "El perro pequeño bebe agua fresca en el patio.",
        "Vamos a la playa cuando termine la lluvia.",
        "¿Puedes abrir la puerta, por favor?",
        "Mañana por la mañana viajamos a Bilbao.",
        "Los pájaros vuelan bajo sobre el campo amarillo.",
        "Nunca he probado un pan tan blando como este.",
        "Me gusta mucho la música de tu hermano.",
        "El último tren sale a las ocho y media.",
        "Hay doce libros viejos encima de la mesa.",
    ),
    "it": (
        "Domani mattina partiamo presto per il mare.",
        "Il mio amico Paolo suona bene la chitarra.",
        "Vorrei un bicchiere d'acqua e un po' di pane.",
        "La nonna prepara sempre una buona zuppa di verdure.",
        "Quando finisce la pioggia usciamo a passeggiare.",
        "Puoi chiudere la finestra, per favore?",
        "Questo libro giallo è molto più bello del film.",
        "I bambini giocano a palla davanti alla chiesa.",
    ),
}

VALIDATED: dict[str, tuple[str, ...]] = {
    "en-us": (
        "The baker on the corner sells plum cake on Fridays.",
        "Would you mind moving your bicycle, please?",
        "We found five smooth stones by the river.",
    ),
    "de": (
        "Im Herbst fallen bunte Blätter auf den Weg.",
        "Meine Schwester malt gern mit blauer Farbe.",
        "Wo haben Sie bloß den Schlüssel gefunden?",
    ),
    "es": (
        "El profesor explica bien la pregunta difícil.",
        "Compré un abrigo verde para el invierno.",
        "¿A qué hora empieza la película?",
    ),
    "it": (
        "Mio fratello ha comprato una bicicletta nuova.",
        "Il gatto dorme sempre sopra la poltrona.",
        "A che ora comincia il film stasera?",
    ),
}

HELD_OUT: dict[str, tuple[str, ...]] = {
    "en-us": (
        "Our neighbours keep two brown horses behind the barn.",
        "Perhaps we should wait for a better moment.",
        "Move the blue box from the table to the shelf.",
        "I wish somebody had told me about the party.",
    ),
    "de": (
        "Am Wochenende besuchen wir meine Oma im Dorf.",
        "Das Buch über Pferde liegt oben auf dem Schrank.",
        "Bitte warten Sie noch einen Augenblick.",
        "Fünf blaue Bälle rollen über die Wiese.",
    ),
    "es": (
        "Esta tarde compramos fruta en el mercado.",
        "Mi vecino tiene un barco blanco en el puerto.",
        "Buenas noches, hasta la próxima semana.",
        "Siempre pone la ropa húmeda bajo el sol.",
    ),
    "it": (
        "Stasera mangiamo insieme da mia sorella.",
        "Il treno per Bologna parte fra venti minuti.",
        "Mi piace bere il caffè sul balcone.",
        "Abbiamo visto una volpe vicino al fiume.",
    ),
}
