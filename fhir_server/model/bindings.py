"""The codes that FHIR R4 allows where its binding is *required*, as data.

Written from the value sets of R4 4.0.1: the models of *fhir.resources* cut their lists short.
Keys are shape and element: `ObservationComponent` is `Observation.component`. `UNBOUND` names
every code element that has no list here, with the reason; a test finds each code element in one of
the two.

https://hl7.org/fhir/R4/terminologies.html#required, https://hl7.org/fhir/R4/valueset-observation-status.html
and its neighbours.
"""

from collections.abc import Mapping
from types import MappingProxyType


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


RESOURCE_TYPES = _codes(
    """
    Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment
    AppointmentResponse AuditEvent Basic Binary BiologicallyDerivedProduct BodyStructure
    Bundle CapabilityStatement CarePlan CareTeam CatalogEntry ChargeItem
    ChargeItemDefinition Claim ClaimResponse ClinicalImpression CodeSystem Communication
    CommunicationRequest CompartmentDefinition Composition ConceptMap Condition Consent
    Contract Coverage CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue
    Device DeviceDefinition DeviceMetric DeviceRequest DeviceUseStatement DiagnosticReport
    DocumentManifest DocumentReference EffectEvidenceSynthesis Encounter Endpoint
    EnrollmentRequest EnrollmentResponse EpisodeOfCare EventDefinition Evidence
    EvidenceVariable ExampleScenario ExplanationOfBenefit FamilyMemberHistory Flag Goal
    GraphDefinition Group GuidanceResponse HealthcareService ImagingStudy Immunization
    ImmunizationEvaluation ImmunizationRecommendation ImplementationGuide InsurancePlan
    Invoice Library Linkage List Location Measure MeasureReport Media Medication
    MedicationAdministration MedicationDispense MedicationKnowledge MedicationRequest
    MedicationStatement MedicinalProduct MedicinalProductAuthorization
    MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient
    MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged
    MedicinalProductPharmaceutical MedicinalProductUndesirableEffect MessageDefinition
    MessageHeader MolecularSequence NamingSystem NutritionOrder Observation
    ObservationDefinition OperationDefinition OperationOutcome Organization
    OrganizationAffiliation Parameters Patient PaymentNotice PaymentReconciliation Person
    PlanDefinition Practitioner PractitionerRole Procedure Provenance Questionnaire
    QuestionnaireResponse RelatedPerson RequestGroup ResearchDefinition
    ResearchElementDefinition ResearchStudy ResearchSubject RiskAssessment
    RiskEvidenceSynthesis Schedule SearchParameter ServiceRequest Slot Specimen
    SpecimenDefinition StructureDefinition StructureMap Subscription Substance
    SubstanceNucleicAcid SubstancePolymer SubstanceProtein SubstanceReferenceInformation
    SubstanceSourceMaterial SubstanceSpecification SupplyDelivery SupplyRequest Task
    TerminologyCapabilities TestReport TestScript ValueSet VerificationResult
    VisionPrescription
    """
)
"""The resource types of R4 4.0.1. https://hl7.org/fhir/R4/valueset-resource-types.html"""

ADMINISTRATIVE_GENDER = _codes("male female other unknown")
DAYS_OF_WEEK = _codes("mon tue wed thu fri sat sun")
REQUEST_PRIORITY = _codes("routine urgent asap stat")
UNITS_OF_TIME = _codes("s min h d wk mo a")
ENCOUNTER_STATUS = _codes(
    "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown"
)
SYSTEM_INTERACTIONS = _codes("transaction batch search-system history-system")
TYPE_INTERACTIONS = _codes(
    "read vread update patch delete history-instance history-type create search-type"
)
EVENT_TIMING = _codes(
    """
    MORN MORN.early MORN.late NOON AFT AFT.early AFT.late EVE EVE.early EVE.late NIGHT PHS
    HS WAKE C CM CD CV AC ACM ACD ACV PC PCM PCD PCV
    """
)
FHIR_VERSIONS = _codes(
    """
    0.01 0.05 0.06 0.11 0.0.80 0.0.81 0.0.82 0.4.0 0.5.0 1.0.0 1.0.1 1.0.2 1.1.0 1.4.0 1.6.0
    1.8.0 3.0.0 3.0.1 3.3.0 3.5.0 4.0.0 4.0.1
    """
)
ISSUE_TYPES = _codes(
    """
    invalid structure required value invariant security login unknown expired forbidden
    suppressed processing not-supported duplicate multiple-matches not-found deleted too-long
    code-invalid extension too-costly business-rule conflict transient lock-error no-store
    exception timeout incomplete throttled informational
    """
)

BINDINGS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        # Data types
        "Address.type": _codes("postal physical both"),
        "Address.use": _codes("home work temp old billing"),
        "Age.comparator": _codes("< <= >= >"),
        "ContactPoint.system": _codes("phone fax email pager url sms other"),
        "ContactPoint.use": _codes("home work temp old mobile"),
        "Contributor.type": _codes("author editor reviewer endorser"),
        "Count.comparator": _codes("< <= >= >"),
        "DataRequirementSort.direction": _codes("ascending descending"),
        "Distance.comparator": _codes("< <= >= >"),
        "Duration.comparator": _codes("< <= >= >"),
        "HumanName.use": _codes("usual official temp nickname anonymous old maiden"),
        "Identifier.use": _codes("usual official temp secondary old"),
        "Narrative.status": _codes("generated extensions additional empty"),
        "ParameterDefinition.use": _codes("in out"),
        "Quantity.comparator": _codes("< <= >= >"),
        "RelatedArtifact.type": _codes(
            """
            documentation justification citation predecessor successor derived-from depends-on
            composed-of
            """
        ),
        "TimingRepeat.dayOfWeek": DAYS_OF_WEEK,
        "TimingRepeat.durationUnit": UNITS_OF_TIME,
        "TimingRepeat.periodUnit": UNITS_OF_TIME,
        "TimingRepeat.when": EVENT_TIMING,
        "TriggerDefinition.type": _codes(
            """
            named-event periodic data-changed data-added data-modified data-removed data-accessed
            data-access-ended
            """
        ),
        # Results and orders
        "DiagnosticReport.status": _codes(
            """
            registered partial preliminary final amended corrected appended cancelled
            entered-in-error unknown
            """
        ),
        "Observation.status": _codes(
            "registered preliminary final amended corrected cancelled entered-in-error unknown"
        ),
        "ServiceRequest.intent": _codes(
            """
            proposal plan directive order original-order reflex-order filler-order instance-order
            option
            """
        ),
        "ServiceRequest.priority": REQUEST_PRIORITY,
        "ServiceRequest.status": _codes(
            "draft active on-hold revoked completed entered-in-error unknown"
        ),
        "Specimen.status": _codes("available unavailable unsatisfactory entered-in-error"),
        # People and places
        "CareTeam.status": _codes("proposed active suspended inactive entered-in-error"),
        "Encounter.status": ENCOUNTER_STATUS,
        "EncounterLocation.status": _codes("planned active reserved completed"),
        "EncounterStatusHistory.status": ENCOUNTER_STATUS,
        "HealthcareServiceAvailableTime.daysOfWeek": DAYS_OF_WEEK,
        "Location.mode": _codes("instance kind"),
        "Location.status": _codes("active suspended inactive"),
        "LocationHoursOfOperation.daysOfWeek": DAYS_OF_WEEK,
        "Patient.gender": ADMINISTRATIVE_GENDER,
        "PatientContact.gender": ADMINISTRATIVE_GENDER,
        "PatientLink.type": _codes("replaced-by replaces refer seealso"),
        "Practitioner.gender": ADMINISTRATIVE_GENDER,
        "PractitionerRoleAvailableTime.daysOfWeek": DAYS_OF_WEEK,
        "RelatedPerson.gender": ADMINISTRATIVE_GENDER,
        # Devices
        "Device.status": _codes("active inactive entered-in-error unknown"),
        "DeviceDeviceName.type": _codes(
            """
            udi-label-name user-friendly-name patient-reported-name manufacturer-name model-name
            other
            """
        ),
        "DeviceUdiCarrier.entryType": _codes("barcode rfid manual card self-reported unknown"),
        # Appointments
        "Appointment.status": _codes(
            """
            proposed pending booked arrived fulfilled cancelled noshow entered-in-error checked-in
            waitlist
            """
        ),
        "AppointmentParticipant.required": _codes("required optional information-only"),
        "AppointmentParticipant.status": _codes("accepted declined tentative needs-action"),
        # Messages, documents, consent
        "Communication.priority": REQUEST_PRIORITY,
        "Communication.status": _codes(
            """
            preparation in-progress not-done on-hold stopped completed entered-in-error unknown
            """
        ),
        "Consent.status": _codes("draft proposed active rejected inactive entered-in-error"),
        "ConsentProvision.type": _codes("deny permit"),
        "ConsentProvisionData.meaning": _codes("instance related dependents authoredby"),
        "DocumentReference.docStatus": _codes("preliminary final amended entered-in-error"),
        "DocumentReference.status": _codes("current superseded entered-in-error"),
        "DocumentReferenceRelatesTo.code": _codes("replaces transforms signs appends"),
        # Who did what
        "AuditEvent.action": _codes("C R U D E"),
        "AuditEvent.outcome": _codes("0 4 8 12"),
        "AuditEventAgentNetwork.type": _codes("1 2 3 4 5"),
        "ProvenanceEntity.role": _codes("derivation revision quotation source removal"),
        # Answers of the interface
        "Bundle.type": _codes(
            """
            document message transaction transaction-response batch batch-response history
            searchset collection
            """
        ),
        "BundleEntryRequest.method": _codes("GET HEAD POST PUT DELETE PATCH"),
        "BundleEntrySearch.mode": _codes("match include outcome"),
        "CapabilityStatement.fhirVersion": FHIR_VERSIONS,
        "CapabilityStatement.kind": _codes("instance capability requirements"),
        "CapabilityStatement.status": _codes("draft active retired unknown"),
        "CapabilityStatementDocument.mode": _codes("producer consumer"),
        "CapabilityStatementMessagingSupportedMessage.mode": _codes("sender receiver"),
        "CapabilityStatementRest.mode": _codes("client server"),
        "CapabilityStatementRestInteraction.code": SYSTEM_INTERACTIONS,
        "CapabilityStatementRestResource.conditionalDelete": _codes(
            "not-supported single multiple"
        ),
        "CapabilityStatementRestResource.conditionalRead": _codes(
            "not-supported modified-since not-match full-support"
        ),
        "CapabilityStatementRestResource.referencePolicy": _codes(
            "literal logical resolves enforced local"
        ),
        "CapabilityStatementRestResource.type": RESOURCE_TYPES,
        "CapabilityStatementRestResource.versioning": _codes(
            "no-version versioned versioned-update"
        ),
        "CapabilityStatementRestResourceInteraction.code": TYPE_INTERACTIONS,
        "CapabilityStatementRestResourceSearchParam.type": _codes(
            "number date string token reference composite quantity uri special"
        ),
        "Composition.confidentiality": _codes("U L M N R V"),
        "Composition.status": _codes("preliminary final amended entered-in-error"),
        "CompositionAttester.mode": _codes("personal professional legal official"),
        "CompositionRelatesTo.code": _codes("replaces transforms signs appends"),
        "CompositionSection.mode": _codes("working snapshot changes"),
        "MessageHeaderResponse.code": _codes("ok transient-error fatal-error"),
        "OperationOutcomeIssue.code": ISSUE_TYPES,
        "OperationOutcomeIssue.severity": _codes("fatal error warning information"),
    }
)

_BY_SYSTEM = "the system beside it says which codes there are"
_MEDIA_TYPE = "a media type (BCP 13), an open list"
_ANY_TYPE = "the name of any FHIR type"
_TAG = "a language tag (BCP 47), an open list"

UNBOUND: Mapping[str, str] = MappingProxyType(
    {
        "Age.code": _BY_SYSTEM,
        "Attachment.contentType": _MEDIA_TYPE,
        "Attachment.language": _TAG,
        "CapabilityStatement.format": _MEDIA_TYPE,
        "CapabilityStatement.patchFormat": _MEDIA_TYPE,
        "Coding.code": _BY_SYSTEM,
        "Count.code": _BY_SYSTEM,
        "DataRequirement.type": _ANY_TYPE,
        "Distance.code": _BY_SYSTEM,
        "Duration.code": _BY_SYSTEM,
        "Expression.language": "an extensible binding",
        "Extension.valueCode": "the extension's definition says which codes there are",
        "Money.currency": "ISO 4217, a list that grows without FHIR",
        "ParameterDefinition.name": "a name, bound to nothing",
        "ParameterDefinition.type": _ANY_TYPE,
        "Quantity.code": _BY_SYSTEM,
        "Signature.sigFormat": _MEDIA_TYPE,
        "Signature.targetFormat": _MEDIA_TYPE,
    }
)
"""Code elements without a list, and why. One more is the `language` of every resource."""
