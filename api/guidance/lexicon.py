"""The words by which people ask, in English and Spanish side by side: many do not write in their phone's language.

A phrase is a row of terms that follow each other in one clause with at most three words between. A term lists its
alternatives with `|`; `*` at the end stands for any ending. All is written without accents and apostrophes.
`^` and `$` are the beginning and the end of a clause. Order within this file has no meaning.
"""

from api.guidance.topics import Topic

_BLEED = "bleed*|bled|blood|bloody|sangr*"
_DOCTOR = "doctor*|dermatolog*|gp|physician|specialist*|hospital*|clinic*|medic|medico*|medica|especialista*|urgencias"
_FOUND = "found|noticed|discovered|spotted|descubr*|encontre|note"
_SPOT = (
    "mole*|spot|spots|dot|dots|thing|growth|mark|lesion*|lump*|freckle*|patch*|bump*"
    "|lunar|lunares|mancha*|bulto*|grano*|peca*|punto|puntos|verruga*"
)
_OTHERS = "people|others|other|someone|anyone|family|kids|partner|wife|husband|children|baby|son|daughter"
_KEEPING = "store*|storing|save|saved|keep|keeping|share*|sharing|sell|send|upload*|guard*|compart*"
_PICTURE = "photo*|picture*|image*|pic|pics|foto|fotos|fotografia*|imagen*"
_SWELLING = "tight*|thick|swell*|swollen|puff*|hinch*|inflam*|closing|closes|close|cerr*|cierra"
_AIRWAY = "eye|eyes|eyelid*|ojo|ojos|parpado*|throat|tongue|lip|lips|face|mouth|garganta|lengua|labio|labios|cara|boca"
_NOT = "not|no|never|wont|cant|cannot|doesnt|dont|didnt|isnt|hasnt"

# Concept: its phrases. These can be denied ("not bleeding"), and then say the opposite.
SYMPTOMS: dict[str, tuple[str, ...]] = {
    "wants to die": ("want|wanna|wish|ready die",),
    # Whoever speaks of breath to a skin app has a reason; better asked once too often.
    "cannot breathe": (
        "breat*|respir*|wheez*|gasp*|choking|choke|suffocat*|asphyx*|anaphyla*|anafila*|asfixi*|ahogo|ahogando|ahoga",
        "no respiro|respira|respiras",
        "no|dont|doesnt|isnt breat*|respir* well|properly|right|normally|bien",
        "no puedo|puede|logro|consigo|consigue respir*",
        "struggl*|fight*|need|enough|get|for air",
        "falta*|sin|entra|poco|mas aire",
        f"{_AIRWAY} {_SWELLING}",
        f"{_SWELLING} {_AIRWAY}",
    ),
    "bleeds heavily": (
        f"{_BLEED} lot|lots|heavily|heavy|badly|profusely|everywhere|nonstop|constantly|gush*|pour*|through",
        f"heavy|heavily|severe|severely|lots|pour*|gush*|spurt*|losing {_BLEED}",
        f"{_NOT} stop*|quit {_BLEED}",
        f"{_NOT} {_BLEED} stop",
        f"{_BLEED} crazy|control|dripping|over",
        "keep|keeps|kept|still bleed|bleeding|sangrando",
        f"no deje|dejar|pare|parar|detener|cortar|controlar {_BLEED}",
        f"deje|dejar|pare|parar|detener|cortar|controlar {_BLEED}",
        f"{_BLEED} control|partes|lados|chorros|bano",
        f"{_BLEED} {_NOT} stop*",
        "still|keep|keeps|kept|started gush*|pour*|spurt*",
        "gush*|spurt*",
        f"{_BLEED} hour|hours|minutes|hora|horas|minutos|nonstop",
        f"hour|hours|minutes|hora|horas|minutos {_BLEED}",
        f"sigue|siguen|continua {_BLEED}",
        "sale|saliendo|pierdo|perdiendo mucha|demasiada|chorro* sangre",
        "sangre chorro*",
        "much blood",
        "soak* blood|bandage*|towel*",
        "hemorrhag*|haemorrhag*|hemorrag*|desangr*",
        f"{_BLEED} mucho|mucha|muchisimo|bastante|abundante*|chorro*|demasiado",
        f"{_BLEED} sin parar",
        f"mucha|muchisima|abundante|demasiada|chorro* {_BLEED}",
        f"no para|paro|parar|deja|dejo|cesa|detiene|detener {_BLEED}",
        f"{_BLEED} no para|paro|parar|deja|cesa|detiene",
        f"sin parar {_BLEED}",
    ),
    "fever": (
        "fever*|chill*|shiver*|fiebre*|calentura|febril|escalofrio*|tiritona",
        "high|alta temperatur*",
        "temperature 38|39|40|41|100|101|102|103|104",
        "38|39|40|41 fiebre|temperatura|grados|degrees",
    ),
    "red streaks": ("red streak*|line*|stripe*", "raya*|linea*|estria* roja*"),
    "redness": ("red|redness|reddening|rojo|roja|rojos|rojas|rojez|enrojec*",),
    "infected": ("infected|infection*|infecto|infectad*|infectando|infecci*|pus",),
    "spreads": ("spread*|expand*|extiend*|extendi*|propag*", "doubled|bigger|larger|grande|growing"),
    "open sore": (
        _BLEED,
        "ooz*|weeping|crust*|scab*|ulcer*|wound*|pus|infected|infectad*|infection|infecto|infeccion|weeps|leaking|leaks|seep*|raw",
        "open sore",
        "a sore that|on|in|doesnt|not|wont|never|for|$",
        f"{_NOT} heal*|close",
        "costra*|supur*|herida*|llaga*",
        "no cicatriz*|cura|curan|sana|cierra",
        f"{_NOT} {_BLEED} much|mucho",
    ),
    "changes": (
        "chang*|grow|grows|growing|grew|grown|bigger|larger|darker|thicker|wider|enlarg*|darken*",
        "double*|tripled|duplic*|size|expanding|fuzzy|bumpy|raised|blurred|faded|lighter|redder",
        "turn*|went|become|became|getting|gone black|dark|darker|red|blue|white|brown|hard|worse|big",
        f"{_NOT} same|igual|misma|mismo",
        "puesto|poniendo|pone|vuelto|volvio|vuelve negr*|oscur*|roj*|azul*|blanc*|dur*|feo|fea|peor",
        "mide|medida|tamano",
        "edge|edges|border*|borde|bordes|different|diferent*|distint*|irregular*|uneven|asymmetr*|asimetr*|jagged|ragged",
        "cambi*|crec*|agrand*|aument*|oscurec*|engros*",
        "mas grande*|oscur*|grues*|alto",
        "otra|otro forma|color|tamano|aspecto",
    ),
    "itches or hurts": (
        "itch*|hurt*|pain*|sore|tender|burns|burning|sting*|tingl*|ache*|aching",
        "bit|little|really|very sore",
        "pica|pican|picar|picaba|picor|picazon|picando|comezon|arde|ardor|escuece|escozor|quema",
        "duele*|dolido|dolio|dolor|dolores|doloros*|doler|dolia|molesta|molestia*",
    ),
    "is new": (
        f"new {_SPOT}",
        f"{_FOUND} {_SPOT}",
        f"woke|desperte up|con {_SPOT}",
        f"never|didnt had|have {_SPOT}|before|until",
        f"no tenia|estaba|habia antes|{_SPOT}",
        f"salio|salido|sale|salieron|saliendo|brotado {_SPOT}|algo",
        "appear*|aparec*",
        f"{_SPOT} nuev*",
        f"nuev* {_SPOT}",
        "showed|popped|came up",
        "wasnt there",
    ),
}

# Concept: its phrases. A "not" before these changes nothing: "I do not understand the result" asks to explain it.
SUBJECTS: dict[str, tuple[str, ...]] = {
    "self-harm": (
        "suicid*|matarme|autolesi*|lastimarme|self harm*",
        "suicid*|matarme|autolesi*|lastimarme",
        "kill|killing|hurting|harm|harming|cutting myself",
        "want|wanna|going|gonna|will|might|thinking|urge*|feel hurt myself",
        "end|ending|take|taking|took my life",
        "life over|pointless|worthless|meaningless",
        "going|want|wanna|will end it|everything|all",
        "be|was|were|am|feel|wish|rather|better dead",
        "better off without",
        "dont|not want live|living|exist|alive|here",
        "cant|cannot go on",
        "reason|reasons live|living",
        "point living|life|going",
        "quitarme|acabar|terminar vida",
        "hacerme dano",
        "no|sin quiero|vale|sentido|ganas|razon vivir|viviendo|vida",
        "quiero|quisiera|prefiero|preferiria|deseo|ganas|mejor morir*|muert*|desaparecer",
        "no puedo mas vida|vivir",
        "cortarme venas",
    ),
    "privacy": (
        "privacy|private|privad*|privacidad|gdpr|rgpd|data|datos|confidential*|anonym*|anonim*|hackers",
        f"delete|erase|remove|borra*|elimin*|{_KEEPING} {_PICTURE}|account|cuenta",
        f"who|quien see|sees|look|looks|view|ver|ve|mira|accede {_PICTURE}",
        f"happen*|do|hacen|haceis|pasa {_PICTURE}",
        "anybody|anyone|somebody|someone|nobody|others|alguien|nadie|otros see|sees|ver|ve|vea|vean",
        "delete|erase|borr* everything|all|mine|todo|mio",
    ),
    "find a doctor": (
        f"find|search|recommend|where|near|nearest|nearby|closest|local {_DOCTOR}",
        f"{_DOCTOR} near|nearby|close|around|cerca*",
        f"talk|speak|chat|real|human {_DOCTOR}|person|human|someone|somebody|professional|qualified|expert",
        f"busc*|encontr*|donde|recomiend*|recomend* {_DOCTOR}",
        f"hablar {_DOCTOR}|persona|alguien",
        f"cerca* {_DOCTOR}",
        f"{_DOCTOR} in|en|around|por here|there|aqui|zona|ciudad|area|town|city|madrid|barcelona|mexico|london|$",
        f"any|are there|hay {_DOCTOR}",
        f"{_DOCTOR} llamar|contactar|recomend*",
    ),
    "contagion": (
        "pass|passing on",
        "contag*|contaj*|contig*|infectious|infeccios*|catch|transmi*|pega|pegar*",
        f"infect|spread|spreads|give|pass|passing {_OTHERS}",
        "partner|wife|husband|kids|children|family|baby|others get|gets|have",
        "coger|contraer|tener pareja|hijo*|hija*|familia|otros",
    ),
    "sun": (
        "sun|sunscreen|sunblock|spf|uv|suntan*|tanned|tanning|sunbed*|sunbath*|beach|sunburn*|sol|playa|bronce*|broncear*",
        "get|i|to tan",
        "protector|protectora|crema|proteccion|factor solar|proteccion",
        "outdoors|sunlight|sunny|sunshine|soleado",
    ),
    "treatment": (
        "treat*|cure|cured|cures|cream*|ointment*|remov*|remed*|surg*|operat*|laser|freez*|frozen|biops*|excis*|antibiotic*",
        "get rid",
        "hydrocortisone|steroid*|aloe|iodine|hidrocortisona|corticoide*|cortisona|yodo|bicarbonato|aceite|vaseline|vaselina",
        "burn|freeze|take|pull|pick|tie off|out|myself",
        "cut|shave|scrape|scratch off|out|myself",
        "vinegar|medication*|medicine*|vinagre|medicina*|medicament*|pomada*|crema*",
        "tratamiento*|tratar*|trata|quitar*|quita|quito|arranc*|elimin*|extirp*|opera|operar*|operacion|cirugia|congel*|cortar*",
        "cura|curar*|remedio*",
    ),
    "photo": (f"{_PICTURE}|camera*|camara*|blur*|borros*|usable|focus|desenfoc*|enfoc*|flash",),
    "accuracy": (
        "accura*|rely|relied|reliab*|believe|trust*|confiden*|percent*|probabilit*|probabilid*|misdiagnos*|certain|certainty|wrong|mistake*|error*|sure|correct",
        "%|fiab*|fiar*|fio|creer|creible|confia*|confianza|exact*|precis*|seguro|segura|seguridad|acert*|acierta|equivoc*|porcentaje|falla*",
    ),
    "which changes": ("what|which|que|cuales changes|cambios",),
    "watching": (
        "watch|monitor|check|examine|inspect|abcd*|abcde|sign|signs|symptom*|selfexam*",
        "look out|for",
        "how can|do you|i tell|know|recognise|recognize|spot",
        "tell if|whether",
        "como se|saber|reconocer|distinguir si|cuando",
        "cada cuanto",
        "how often",
        "red flag*",
        "pay attention",
        "fijar*|vigil*|observ*|revis*|controlar*|senal*|signo*|sintoma*|atencion",
    ),
    "explanation": (
        "explain*|understand*|mean|means|meaning|explic*|expliq*|signific*|entiend*|entender|comprend*",
        "tell|know|learn|info* more|about",
        "more|mas info*|information|detail*|detalle*",
        "never heard",
        "no se|conozco que|lo significa|es|palabra",
        "quiere|quieren decir",
        "saber|cuent*|dime|habla*|informacion mas|sobre",
    ),
    "what is": ("what|whats|wat|wht is|are|s", "whats", "que|q es|son"),
    "named class": (
        "keratos*|queratos*|lentig*|bowen*|dermatofibrom*|vascular*|melanocyt*|melanocit*|squamous|basal|escamos*|angiom*|hemangiom*|haemangiom*|angiokeratom*|angioqueratom*",
        "bcc|scc|akiec|bkl|nevus|nevi|naevus|nevo|nevos|lunar|mole|melanom*|carcinom*",
    ),
    "what is it": (
        "what|whats|wat is|s it|this|that|result|diagnosis $",
        "whats it|this|that|result|diagnosis",
        "que es|son esto|eso|este|ese|resultado|diagnostico",
        "^ que es $",
        "^ y que es $",
    ),
    "urgency": (
        "urgen*|emergency|wait|waiting|appointment*|esperar|espero|cita|pronto",
        "how soon|quickly|fast",
        f"see|visit|call|go|consult|need|ask {_DOCTOR}",
        "what should|must|shall|can i do",
        "what do now|next|next",
        "next step*",
        "how long|much leave|left|time|delay|live",
        "what suggest|recommend|advise|advice",
        "next|proximo* step*|paso*",
        "y ahora",
        "what now",
        "who go|see|ask",
        "a e|er|casualty|ambulance|ambulancia",
        "pedir|make|book cita|turno|hora|appointment|one",
        "cuanto tiempo|antes",
        f"ir|ver|voy|acudir|consultar|visitar|llamar|necesito {_DOCTOR}",
        "que hago|debo|puedo|tengo hacer|ahora|hago",
        "que hago",
        "cuando ir|voy|ver|acudir|consultar",
    ),
    "worry": (
        "cancer*|malign*|melanom*|tumor*|tumour*|carcinom*|benign*|metasta*",
        "danger*|serious|harmful|harmless|deadly|fatal|lethal|worr*|scared|afraid|anxious|nervous|normal|die|dying|bad|safe",
        "kill|grave|peligr*|preocup*|asust*|miedo|mortal|malo|mala|nervios*|riesgo*|risk*|morir*|muero|angusti*|fatal|terrif*|freak*|panic*|panico|afraid|stress*|sick|chance*|chances|serio|seria|aterr*",
        "its|is|be nothing",
        "no es|era|sea|sera nada",
        "can|could|should|puedo|debo ignore|ignorar*",
    ),
    "help": (
        "help|menu|options|opciones|ayuda*",
        "what|which|que questions|preguntas",
        "who|what are you|u",
        "para que|como sirves|sirve|funcionas|funciona|eres",
        "quien|que eres",
        "no se que preguntar*|decir",
        "how do you|it|this work",
        "what|how can|do you|i do|ask|help|work",
        "how work*",
        "que puedes|puedo|sabes hacer|preguntar|ayudar*",
        "como funciona*",
    ),
    "thanks": (
        "thank*|thx|ty|tysm|cheers|appreciate*|bye|goodbye|ok|okay|great",
        "gracias|agradec*|adios|vale|perfecto|chao",
        "hasta luego|pronto",
    ),
    "greeting": (
        "hi|hello|hey|heyy|hiya|yo|hola|holi|buenas|buenos|saludos",
        "good morning|afternoon|evening|day",
        "que tal",
    ),
}

# A rule holds when the message has all of its concepts; the first of a topic's rules is as good as the last.
RULES: tuple[tuple[Topic, frozenset[str]], ...] = tuple(
    (topic, frozenset(concepts.split(" + ")))
    for topic, concepts in (
        (Topic.SELF_HARM, "self-harm"),
        (Topic.SELF_HARM, "wants to die"),
        (Topic.BREATHING, "cannot breathe"),
        (Topic.HEAVY_BLEEDING, "bleeds heavily"),
        (Topic.SPREADING_INFECTION, "fever"),
        (Topic.SPREADING_INFECTION, "red streaks"),
        (Topic.SPREADING_INFECTION, "redness + spreads"),
        (Topic.SPREADING_INFECTION, "infected + spreads"),
        (Topic.BLEEDING, "open sore"),
        (Topic.WATCH, "which changes"),
        (Topic.CHANGE, "changes"),
        (Topic.PAIN_ITCH, "itches or hurts"),
        (Topic.NEW_SPOT, "is new"),
        (Topic.PRIVACY, "privacy"),
        (Topic.FIND_DOCTOR, "find a doctor"),
        (Topic.CONTAGIOUS, "contagion"),
        (Topic.CHANGE, "spreads"),
        (Topic.SUN, "sun"),
        (Topic.TREATMENT, "treatment"),
        (Topic.PHOTO, "photo"),
        (Topic.ACCURACY, "accuracy"),
        (Topic.WATCH, "watching"),
        (Topic.EXPLAIN, "explanation"),
        (Topic.EXPLAIN, "what is + named class"),
        (Topic.EXPLAIN, "what is it"),
        (Topic.URGENCY, "urgency"),
        (Topic.CANCER, "worry"),
        (Topic.HELP, "help"),
        (Topic.THANKS, "thanks"),
        (Topic.GREETING, "greeting"),
    )
)

# A clause ends at punctuation and at these.
CLAUSE_ENDS = frozenset({"but", "however", "although", "though", "pero", "aunque", "sino"})
DENIALS = frozenset(
    {"no", "not", "never", "without", "nor", "neither", "none", "isnt", "arent", "wasnt", "doesnt", "dont", "didnt"}
    | {"hasnt", "havent", "ni", "nunca", "tampoco", "sin"}
)
# Words after a denial that take it back: "not only", "no se si"; after an English "no", whoever begins a new sentence.
NOT_DENIALS = frozenset(
    {f"not {word}" for word in ("only", "just", "sure")}
    | {f"no {word}" for word in ("solo", "solamente", "idea", "doubt", "it", "its", "i", "im", "is", "the", "my")}
    | {f"no {word}" for word in ("there", "this", "that", "she", "they", "we")}
    | {f"dont {word}" for word in ("know", "understand", "think")}
    | {f"no se {word}" for word in ("si", "que", "por", "porque", "como", "cuando", "donde", "cual")}
)
# Words of their own that look like a misspelled one of ours.
UNRELATED = frozenset(
    {"costar", "cuesta", "contar", "casting", "canada", "other", "weather", "whether", "breast", "bread"}
)

# Diagnosis: its names, the graver ones first ("lentigo maligna" is a melanoma, a solar lentigo is none).
CLASSES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("mel", ("melanoma*", "lentigo malign*", "mel")),
    ("scc", ("squamous*|escamos*|espinocelular*|epidermoid*|scc",)),
    ("bcc", ("basal|basocelular*|basalioma*|bcc",)),
    (
        "akiec",
        ("actinic*|solar keratos*|queratos*", "keratos*|queratos* actinic*|solar", "bowen*|intraepi*|akiec|ack|ak"),
    ),
    ("vasc", ("vascular*|angiom*|hemangiom*|haemangiom*|angiokeratom*|angioqueratom*|vasc",)),
    ("df", ("dermatofibrom*|df",)),
    ("bkl", ("keratos*|queratos*|lentig*|seborr*|lichen*|liquen*|bkl|sek",)),
    ("nv", ("nevus|nevi|naevus|naevi|nevo|nevos|mole|moles|lunar|lunares|melanocyt*|melanocit*|nv",)),
)

# How `ml_models/decision.py` words doubt and a photo that shows nothing, in both languages.
HEDGES: tuple[str, ...] = (
    "unsure|uncertain|possible|possibly|suspicious|suspect*|posible|posiblemente|duda|dudoso|sospech*",
)
UNUSABLE: tuple[str, ...] = ("photo not usable", "foto no utilizable|valida|sirve")
