"""What segments and fields are called, for whoever reads a message beside its parts.

Names of HL7 v2.8 chapters 2 to 10, of version 2.4 where later ones withdrew the field. A segment
or field that is not here is shown by its number.
"""

from collections.abc import Mapping
from types import MappingProxyType

SEGMENTS: Mapping[str, str] = MappingProxyType(
    {
        "MSH": "Message header",
        "MSA": "Acknowledgement",
        "ERR": "Error",
        "EVN": "Event",
        "PID": "Patient",
        "PD1": "More on the patient",
        "NK1": "Next of kin",
        "PV1": "Visit",
        "PV2": "More on the visit",
        "MRG": "Merged from",
        "ORC": "Order",
        "OBR": "Report or request",
        "OBX": "Result",
        "NTE": "Note",
        "SPM": "Specimen",
        "SAC": "Specimen container",
        "TQ1": "Timing",
        "TXA": "Document",
        "SCH": "Appointment",
        "RGS": "Resources",
        "AIS": "Service booked",
        "AIL": "Place booked",
        "AIP": "Person booked",
        "AIG": "Resource booked",
    }
)
"""What a segment is about."""

_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "MSH": (
            "Field separator; Encoding characters; Sending application; Sending facility; "
            "Receiving application; Receiving facility; Date and time of message; Security; "
            "Message type; Message control ID; Processing ID; Version ID; Sequence number; "
            "Continuation pointer; Accept acknowledgement type; Application acknowledgement type; "
            "Country code; Character set; Principal language of message; Alternate character set "
            "handling scheme; Message profile identifier; Sending responsible organization; "
            "Receiving responsible organization; Sending network address; Receiving network "
            "address"
        ),
        "MSA": (
            "Acknowledgement code; Message control ID; Text message; Expected sequence number; "
            "Delayed acknowledgement type; Error condition; Message waiting number; Message "
            "waiting priority"
        ),
        "ERR": (
            "Error code and location; Error location; HL7 error code; Severity; Application error "
            "code; Application error parameter; Diagnostic information; User message; Inform "
            "person indicator; Override type; Override reason code; Help desk contact point"
        ),
        "EVN": (
            "Event type code; Recorded date and time; Date and time planned event; Event reason "
            "code; Operator ID; Event occurred; Event facility"
        ),
        "PID": (
            "Set ID; Patient ID; Patient identifier list; Patient identifier list; Patient name; "
            "Mother's maiden name; Date and time of birth; Administrative sex; Patient alias; "
            "Race; Patient address; County code; Phone number home; Phone number business; "
            "Primary language; Marital status; Religion; Patient account number; SSN number; "
            "Driver's licence number; Mother's identifier; Ethnic group; Birth place; Multiple "
            "birth indicator; Birth order; Citizenship; Veterans military status; Nationality; "
            "Patient death date and time; Patient death indicator; Identity unknown indicator; "
            "Identity reliability code; Last update date and time; Last update facility; "
            "Taxonomic classification code; Breed code; Strain; Production class code; Tribal "
            "citizenship; Patient telecommunication information"
        ),
        "PD1": (
            "Living dependency; Living arrangement; Patient primary facility; Patient primary "
            "care provider name and ID number; Student indicator; Handicap; Living will code; "
            "Organ donor code; Separate bill; Duplicate patient; Publicity code; Protection "
            "indicator; Protection indicator effective date; Place of worship; Advance directive "
            "code; Immunisation registry status; Immunisation registry status effective date; "
            "Publicity code effective date; Military branch; Military rank grade; Military "
            "status; Advance directive last verified date"
        ),
        "NK1": (
            "Set ID; Name; Relationship; Address; Phone number; Business phone number; Contact "
            "role; Start date; End date; Next of kin associated parties job title; Next of kin "
            "associated parties job code class; Next of kin associated parties employee number; "
            "Organization name; Marital status; Administrative sex; Date and time of birth; "
            "Living dependency; Ambulatory status; Citizenship; Primary language; Living "
            "arrangement; Publicity code; Protection indicator; Student indicator; Religion; "
            "Mother's maiden name; Nationality; Ethnic group; Contact reason; Contact person's "
            "name; Contact person's telephone number; Contact person's address; Next of kin "
            "associated party's identifiers; Job status; Race; Handicap; Contact person social "
            "security number; Next of kin birth place; VIP indicator; Next of kin "
            "telecommunication information; Contact person's telecommunication information"
        ),
        "PV1": (
            "Set ID; Patient class; Assigned patient location; Admission type; Preadmit number; "
            "Prior patient location; Attending doctor; Referring doctor; Consulting doctor; "
            "Hospital service; Temporary location; Preadmit test indicator; Readmission "
            "indicator; Admit source; Ambulatory status; VIP indicator; Admitting doctor; Patient "
            "type; Visit number; Financial class; Charge price indicator; Courtesy code; Credit "
            "rating; Contract code; Contract effective date; Contract amount; Contract period; "
            "Interest code; Transfer to bad debt code; Transfer to bad debt date; Bad debt agency "
            "code; Bad debt transfer amount; Bad debt recovery amount; Delete account indicator; "
            "Delete account date; Discharge disposition; Discharged to location; Diet type; "
            "Servicing facility; Bed status; Account status; Pending location; Prior temporary "
            "location; Admit date and time; Discharge date and time; Current patient balance; "
            "Total charges; Total adjustments; Total payments; Alternate visit ID; Visit "
            "indicator; Other healthcare provider; Service episode description; Service episode "
            "identifier"
        ),
        "PV2": (
            "Prior pending location; Accommodation code; Admit reason; Transfer reason; Patient "
            "valuables; Patient valuables location; Visit user code; Expected admit date and "
            "time; Expected discharge date and time; Estimated length of inpatient'stay; Actual "
            "length of inpatient'stay; Visit description; Referral source code; Previous service "
            "date; Employment illness related indicator; Purge status code; Purge status date; "
            "Special program code; Retention indicator; Expected number of insurance plans; Visit "
            "publicity code; Visit protection indicator; Clinic organization name; Patient'status "
            "code; Visit priority code; Previous treatment date; Expected discharge disposition; "
            "Signature on file date; First similar illness date; Patient charge adjustment code; "
            "Recurring service code; Billing media code; Expected surgery date and time; Military "
            "partnership code; Military non availability code; Newborn baby indicator; Baby "
            "detained indicator; Mode of arrival code; Recreational drug use code; Admission "
            "level of care code; Precaution code; Patient condition code; Living will code; Organ "
            "donor code; Advance directive code; Patient'status effective date; Expected loa "
            "return date and time; Expected preadmission testing date and time; Notify clergy "
            "code; Advance directive last verified date"
        ),
        "MRG": (
            "Prior patient identifier list; Prior alternate patient ID; Prior patient account "
            "number; Prior patient ID; Prior visit number; Prior alternate visit ID; Prior "
            "patient name"
        ),
        "ORC": (
            "Order control; Placer order number; Filler order number; Placer group number; Order "
            "status; Response flag; Quantity timing; Parent order; Date and time of transaction; "
            "Entered by; Verified by; Ordering provider; Enterer's location; Call back phone "
            "number; Order effective date and time; Order control code reason; Entering "
            "organization; Entering device; Action by; Advanced beneficiary notice code; Ordering "
            "facility name; Ordering facility address; Ordering facility phone number; Ordering "
            "provider address; Order status modifier; Advanced beneficiary notice override "
            "reason; Filler's expected availability date and time; Confidentiality code; Order "
            "type; Enterer authorization mode; Parent universal service identifier; Advanced "
            "beneficiary notice date; Alternate placer order number; Order workflow profile"
        ),
        "OBR": (
            "Set ID; Placer order number; Filler order number; Universal service identifier; "
            "Priority; Requested date and time; Observation date and time; Observation end date "
            "and time; Collection volume; Collector identifier; Specimen action code; Danger "
            "code; Relevant clinical information; Specimen received date and time; Specimen "
            "source; Ordering provider; Order callback phone number; Placer field 1; Placer field "
            "2; Filler field 1; Filler field 2; Results reported or status changed at; Charge to "
            "practice; Diagnostic service section; Result status; Parent result; Quantity timing; "
            "Result copies to; Parent results observation identifier; Transportation mode; Reason "
            "for study; Principal result interpreter; Assistant result interpreter; Technician; "
            "Transcriptionist; Scheduled date and time; Number of sample containers; Transport "
            "logistics of collected sample; Collector's comment; Transport arrangement "
            "responsibility; Transport arranged; Escort required; Planned patient transport "
            "comment; Procedure code; Procedure code modifier; Placer supplemental service "
            "information; Filler supplemental service information; Medically necessary duplicate "
            "procedure reason; Result handling; Parent universal service identifier; Observation "
            "group ID; Parent observation group ID; Alternate placer order number; Parent order"
        ),
        "OBX": (
            "Set ID; Value type; Observation identifier; Observation sub ID; Observation value; "
            "Units; Reference range; Interpretation codes; Probability; Nature of abnormal test; "
            "Observation result status; Effective date of reference range; User defined access "
            "checks; Date and time of the observation; Producer's ID; Responsible observer; "
            "Observation method; Equipment instance identifier; Date and time of the analysis; "
            "Observation site; Observation instance identifier; Mood code; Performing "
            "organization name; Performing organization address; Performing organization medical "
            "director; Patient results release category; Root cause; Local process control; "
            "Observation type; Observation sub type"
        ),
        "NTE": (
            "Set ID; Source of comment; Comment; Comment type; Entered by; Entered date and time; "
            "Effective start date; Expiration date"
        ),
        "SPM": (
            "Set ID; Specimen ID; Specimen parent ids; Specimen type; Specimen type modifier; "
            "Specimen additives; Specimen collection method; Specimen source site; Specimen "
            "source site modifier; Specimen collection site; Specimen role; Specimen collection "
            "amount; Grouped specimen count; Specimen description; Specimen handling code; "
            "Specimen risk code; Specimen collection date and time; Specimen received date and "
            "time; Specimen expiration date and time; Specimen availability; Specimen reject "
            "reason; Specimen quality; Specimen appropriateness; Specimen condition; Specimen "
            "current quantity; Number of specimen containers; Container type; Container "
            "condition; Specimen child role; Accession ID; Other specimen ID; Shipment ID"
        ),
        "SAC": (
            "External accession identifier; Accession identifier; Container identifier; Primary "
            "parent container identifier; Equipment container identifier; Specimen source; "
            "Registration date and time; Container status; Carrier type; Carrier identifier; "
            "Position in carrier; Tray type; Tray identifier; Position in tray; Location; "
            "Container height; Container diameter; Barrier delta; Bottom delta; Container height "
            "diameter delta units; Container volume; Available specimen volume; Initial specimen "
            "volume; Volume units; Separator type; Cap type; Additive; Specimen component; "
            "Dilution factor; Treatment; Temperature; Hemolysis index; Hemolysis index units; "
            "Lipemia index; Lipemia index units; Icterus index; Icterus index units; Fibrin "
            "index; Fibrin index units; System induced contaminants; Drug interference; "
            "Artificial blood; Special handling code; Other environmental factors"
        ),
        "TQ1": (
            "Set ID; Quantity; Repeat pattern; Explicit time; Relative time and units; Service "
            "duration; Start date and time; End date and time; Priority; Condition text; Text "
            "instruction; Conjunction; Occurrence duration; Total occurrences"
        ),
        "TXA": (
            "Set ID; Document type; Document content presentation; Activity date and time; "
            "Primary activity provider code name; Origination date and time; Transcription date "
            "and time; Edit date and time; Originator code name; Assigned document authenticator; "
            "Transcriptionist code name; Unique document number; Parent document number; Placer "
            "order number; Filler order number; Unique document file name; Document completion "
            "status; Document confidentiality status; Document availability status; Document "
            "storage status; Document change reason; Authentication person time stamp set; "
            "Distributed copies code and name of recipients; Folder assignment; Document title; "
            "Agreed due date and time"
        ),
        "SCH": (
            "Placer appointment ID; Filler appointment ID; Occurrence number; Placer group "
            "number; Schedule ID; Event reason; Appointment reason; Appointment type; Appointment "
            "duration; Appointment duration units; Appointment timing quantity; Placer contact "
            "person; Placer contact phone number; Placer contact address; Placer contact "
            "location; Filler contact person; Filler contact phone number; Filler contact "
            "address; Filler contact location; Entered by person; Entered by phone number; "
            "Entered by location; Parent placer appointment ID; Parent filler appointment ID; "
            "Filler status code; Placer order number; Filler order number"
        ),
        "RGS": "Set ID; Segment action code; Resource group ID",
        "AIS": (
            "Set ID; Segment action code; Universal service identifier; Start date and time; "
            "Start date and time offset; Start date and time offset units; Duration; Duration "
            "units; Allow substitution code; Filler status code; Placer supplemental service "
            "information; Filler supplemental service information"
        ),
        "AIL": (
            "Set ID; Segment action code; Location resource ID; Location type; Location group; "
            "Start date and time; Start date and time offset; Start date and time offset units; "
            "Duration; Duration units; Allow substitution code; Filler status code"
        ),
        "AIP": (
            "Set ID; Segment action code; Personnel resource ID; Resource type; Resource group; "
            "Start date and time; Start date and time offset; Start date and time offset units; "
            "Duration; Duration units; Allow substitution code; Filler status code"
        ),
        "AIG": (
            "Set ID; Segment action code; Resource ID; Resource type; Resource group; Resource "
            "quantity; Resource quantity units; Start date and time; Start date and time offset; "
            "Start date and time offset units; Duration; Duration units; Allow substitution code; "
            "Filler status code"
        ),
    }
)


def field_name(segment: str, number: int) -> str:
    """Return what field *number* of the segment is called; empty where that is not known."""
    names = _FIELDS.get(segment, "").split("; ")
    return names[number - 1] if 0 < number <= len(names) else ""
