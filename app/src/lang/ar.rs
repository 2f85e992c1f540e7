//! The Arabic words.

use domain::checkout::Phase;
use domain::decline::{Action, DeclineClass};
use domain::method::Method;
use domain::session::Notice;

use super::words::{Facts, Problem, Said, Words};

/// The words of the language.
pub const WORDS: Words = Words {
    phase,
    notice,
    method,
    method_hint,
    problem,
    pay: |amount| format!("ادفع {amount}"),
    quantity: |count| format!("الكمية {count}"),
    more_items: |count| match (count, count % 100) {
        (1, _) => "عرض عنصر آخر".to_owned(),
        (2, _) => "عرض عنصرين آخرين".to_owned(),
        (_, 3..=10) => format!("عرض {count} عناصر أخرى"),
        _ => format!("عرض {count} عنصرًا آخر"),
    },
    inactive: |merchant| {
        ("رابط الدفع هذا غير مفعّل", format!("لا يمكن الدفع هنا حاليًا. يُرجى طلب رابط جديد من {merchant}."))
    },
    back_to: |merchant| format!("العودة إلى {merchant}"),
    methods: "طريقة الدفع",
    order: "طلبك",
    subtotal: "المجموع الفرعي",
    included: "مشمولة",
    total: "الإجمالي",
    each: "للقطعة",
    redirect_hint: "ستنتقل إلى الصفحة الآمنة لمزوّد خدمة الدفع ثم تعود إلى هنا.",
    no_methods: (
        "لا يستطيع هذا المتجر استلام هذه الدفعة هنا",
        "لم يُخصم أي مبلغ. يُرجى سؤال المتجر عن طريقة الدفع، أو المحاولة لاحقًا.",
    ),
    check_again: "التحقق مرة أخرى",
    back: "العودة إلى دفعتك",
    not_finished: "لم أُكمل الدفع",
    resume: "المتابعة إلى الدفع",
    to_bank: "المتابعة إلى البنك",
    choose_again: "اختيار طريقة دفع أخرى",
    start_again: "البدء من جديد",
    more_time: "أحتاج إلى مزيد من الوقت",
    ends_soon: "تنتهي صفحة الدفع هذه خلال أقل من خمس دقائق.",
    time_left: "الوقت المتبقي:",
    opening: "جارٍ الفتح…",
    working: "لحظة من فضلك…",
    unreachable: "تعذّر الوصول إلى الخادم، لذلك لا نعرف ما آلت إليه خطوتك الأخيرة. تحقّق من اتصالك. لا تدفع مرة أخرى قبل أن تعرض هذه الصفحة حالة دفعتك.",
    setback: "حدث خطأ في خطوتك الأخيرة. تعرض هذه الصفحة الآن حالة دفعتك.",
    redirecting: "جارٍ نقلك إلى صفحة الدفع",
    redirecting_hint: "ستنتقل إلى الصفحة الآمنة لمزوّد خدمة الدفع. إذا لم يحدث شيء فاستخدم الزر.",
    sending_hint: "ستنتقل إلى الصفحة الآمنة لمزوّد خدمة الدفع. استخدم الزر.",
    go_on: "المتابعة إلى صفحة الدفع",
    code: "ادفع عبر تطبيقك",
    code_scan: "امسح هذا الرمز بتطبيق الدفع لديك أو انسخه إليه. ستعرض هذه الصفحة وصول الدفعة.",
    code_app: "افتح تطبيق الدفع لديك بالزر أو انسخ الرمز إليه. ستعرض هذه الصفحة وصول الدفعة.",
    open_app: "فتح التطبيق",
    paid_to: "مدفوع إلى",
    reference: "المرجع",
    help: "هل لديك أسئلة؟",
    by_till: "دفع آمن عبر Till",
    test_mode: "وضع الاختبار",
    test_hint: "لا تُنقل أي أموال حقيقية.",
    languages: "اللغة",
    home: "الدفع",
    home_hint: "توجد صفحات الدفع على هذا العنوان. للدفع، افتح الرابط الذي أرسله إليك التاجر.",
    skip: "الانتقال إلى الدفع",
};

fn said(tab: &'static str, title: &str, body: impl Into<String>, next: impl Into<String>) -> Said {
    Said { tab, title: title.to_owned(), body: body.into(), next: next.into() }
}

fn phase(phase: Phase, facts: &Facts) -> Said {
    let Facts { merchant, total, received, refunded, returned, kept, less, went_back, can_renew } = facts;
    let back = went_back.then_some(refunded);
    match phase {
        Phase::Choose => {
            said("الدفع", "كيف تودّ أن تدفع؟", format!("ستدفع {total} إلى {merchant}."), WORDS.redirect_hint)
        }
        Phase::Resume => said(
            "دفع مفتوح",
            "لقد بدأتَ الدفع",
            "بحسب ما نعلم، لم تصل دفعتك بعد.",
            "إذا كنت قد دفعت فلا تدفع مرة أخرى: انتظر، وعُد إلى هذه الصفحة بعد بضع دقائق. وإلا فتابع من حيث توقفت، أو اختر طريقة دفع أخرى.",
        ),
        Phase::Opening => said(
            "جارٍ الفتح",
            "جارٍ فتح صفحة الدفع",
            "نطلب صفحة من مزوّد خدمة الدفع. يستغرق ذلك بضع ثوانٍ.",
            "أبقِ هذه الصفحة مفتوحة.",
        ),
        Phase::Closing => said(
            "جارٍ الإيقاف",
            "جارٍ إيقاف الدفع",
            "نغلق صفحة الدفع المفتوحة حتى لا يُدفع المبلغ مرتين.",
            "أبقِ هذه الصفحة مفتوحة. يمكنك الاختيار من جديد بعد لحظات.",
        ),
        Phase::Confirming => said(
            "جارٍ التأكيد",
            "جارٍ التأكيد مع البنك",
            "ننتظر تأكيد مزوّد خدمة الدفع. يستغرق ذلك عادةً بضع ثوانٍ.",
            "أبقِ هذه الصفحة مفتوحة ولا تدفع مرة أخرى.",
        ),
        Phase::Authenticate => said(
            "تأكيد",
            "يطلب البنك تأكيدك",
            format!("يريد البنك التأكد من أنك أنت من يدفع {total}."),
            "تابع إلى البنك، أو اختر طريقة دفع أخرى.",
        ),
        Phase::Processing => said(
            "في الطريق",
            "دفعتك في الطريق",
            format!("يرسل البنك {total} إلى {merchant}. قد يستغرق ذلك عدة أيام عمل."),
            "لا يلزمك فعل أي شيء، ولا تدفع مرة أخرى. يمكنك إغلاق هذه الصفحة والعودة إليها في أي وقت.",
        ),
        Phase::Unknown => said(
            "جارٍ التحقق",
            "نتحقق من دفعتك",
            "لم يُجب مزوّد خدمة الدفع، لذلك لا نعرف بعد هل تمّ الدفع. سنواصل سؤاله حتى نعرف.",
            "لا تدفع مرة أخرى. تتحدّث هذه الصفحة تلقائيًا، ويمكنك العودة إليها لاحقًا.",
        ),
        Phase::Unclear => said(
            "جارٍ التحقق",
            "تحتاج دفعتك إلى مراجعة",
            "ما يُبلغ به مزوّد خدمة الدفع عن دفعتك غير متّسق، لذلك لا نعرف حالتها.",
            format!("لا تدفع مرة أخرى. إذا بقيت هذه الصفحة كما هي بعد ساعة فاسأل {merchant} واذكر المرجع."),
        ),
        Phase::Declined(class) => said("لم يُقبل", "لم تُقبل دفعتك", declined(class), advice(class)),
        Phase::Authorised => said(
            "تمت الموافقة",
            "تمت الموافقة على دفعتك",
            format!("وافق البنك على {total}. سيُحصّل {merchant} المبلغ لاحقًا."),
            "لا يلزمك فعل أي شيء. يمكنك إغلاق هذه الصفحة.",
        ),
        Phase::Paid => said(
            "تم الدفع",
            "اكتمل الدفع",
            format!("دفعتَ {total} إلى {merchant}."),
            "يمكنك إغلاق هذه الصفحة. احتفظ بالمرجع لأي استفسار لاحق.",
        ),
        Phase::PaidLate => said(
            "دفع متأخر",
            "وصلت دفعتك متأخرة",
            format!("دفعتَ {total} إلى {merchant} بعد انتهاء الوقت. الدفعة محسوبة."),
            format!("لا تدفع مرة أخرى. إذا لم يصلك رد فاسأل {merchant} واذكر المرجع."),
        ),
        Phase::PartlyPaid => said(
            "دفع جزئي",
            "دُفع جزء من المبلغ",
            format!("وصل {received} من أصل {total}."),
            format!("يُرجى سؤال {merchant} عن كيفية سداد الباقي."),
        ),
        Phase::PartlyCollected => said(
            "تحصيل جزئي",
            "حُصّل جزء من المبلغ",
            format!("وافقتَ على {total}، وحصّل {merchant} منها {received}."),
            "لا يلزمك فعل أي شيء. يمكنك إغلاق هذه الصفحة.",
        ),
        Phase::Overpaid => said(
            "دفع زائد",
            "دفعتَ أكثر من المطلوب",
            match less {
                Some(less) => format!("وصل {received}، لكن {merchant} يأخذ {less} فقط مقابل هذا الطلب."),
                None => format!("وصل {received} لطلب قيمته {total}."),
            } + &back.map_or_else(String::new, |back| format!(" وقد أُعيد إليك {back} بالفعل.")),
            format!("لا تدفع مرة أخرى. أُبلغ {merchant} وسيسوّي الفرق معك."),
        ),
        Phase::OverpaidKept => said(
            "دفع زائد",
            "دفعتَ أكثر من قيمة الطلب",
            if *went_back {
                format!(
                    "وصل أكثر من {total} قيمة هذا الطلب. أعاد {merchant} مبلغ {refunded} ويحتفظ بمبلغ {kept} زيادةً على الطلب."
                )
            } else {
                format!("وصل أكثر من {total} قيمة هذا الطلب، ويحتفظ {merchant} بمبلغ {kept} منه.")
            },
            format!("لا تدفع مرة أخرى. إذا لم تتوقع ذلك فاسأل {merchant} واذكر المرجع."),
        ),
        Phase::PartlyRefunded => said(
            "رد جزئي",
            "رُدّ جزء من المبلغ",
            format!("أعاد {merchant} مبلغ {refunded} من أصل {received}."),
            "قد يستغرق ظهوره في حسابك عدة أيام عمل.",
        ),
        Phase::Refunded => said(
            "تم الرد",
            "رُدّت دفعتك",
            format!("أعاد {merchant} مبلغ {refunded}."),
            "قد يستغرق ظهوره في حسابك عدة أيام عمل.",
        ),
        Phase::Returned => said(
            "أُعيد المبلغ",
            "استرجع البنك مبلغًا",
            format!("استرجع البنك {returned}، لذلك ليس لدى {merchant} هذا المبلغ."),
            format!("يُرجى سؤال {merchant} عن كيفية الدفع الآن."),
        ),
        Phase::Cancelled => said(
            "أُلغي",
            "أُلغيت هذه الدفعة",
            format!("ألغاها {merchant}. لن يُخصم أي مبلغ."),
            format!("لا يلزمك فعل أي شيء. إذا لم تتوقع ذلك فاسأل {merchant}."),
        ),
        Phase::Cancelling => said(
            "جارٍ الإلغاء",
            "جارٍ إلغاء هذه الدفعة",
            format!("ألغاها {merchant}. ننتظر أن يؤكّد مزوّد خدمة الدفع أنه لن يُخصم أي مبلغ."),
            "لا تدفع مرة أخرى. تتحدّث هذه الصفحة تلقائيًا، ويمكنك العودة إليها لاحقًا.",
        ),
        Phase::PaidCancelled => said(
            "أُلغيت قبل دفعها",
            "كانت هذه الدفعة ملغاة",
            format!("كان {merchant} قد ألغاها قبل وصول دفعتك."),
            format!(
                "لا تدفع مرة أخرى. يبقى مبلغك محفوظًا حتى يقرّر {merchant} هل يعيده إليك. إذا لم يصلك رد فاسأل {merchant} واذكر المرجع."
            ),
        ),
        Phase::Released => said(
            "انتهت الموافقة",
            "انتهت الموافقة على دفعتك",
            format!("انتهت الموافقة على {total} قبل أن يُحصّل {merchant} المبلغ. لم يُخصم أي مبلغ."),
            "إذا كنت لا تزال تريد الدفع فاختر طريقة الدفع.",
        ),
        Phase::Expired => said(
            "انتهى الوقت",
            "انتهت صلاحية صفحة الدفع هذه",
            "انتهى الوقت المتاح للدفع. لم يُخصم أي مبلغ.",
            if *can_renew {
                "ابدأ من جديد لتدفع.".to_owned()
            } else {
                format!("يُرجى طلب رابط جديد من {merchant}.")
            },
        ),
    }
}

fn declined(class: DeclineClass) -> &'static str {
    match class.shown() {
        DeclineClass::InsufficientFunds => "يقول البنك إن الرصيد لا يكفي أو إنك بلغت حدًّا معيّنًا.",
        DeclineClass::TryAgainLater => "تعذّر الوصول إلى البنك على نحو سليم.",
        DeclineClass::DataError => "أحد الأرقام أو التاريخ أو رمز الأمان غير صحيح.",
        DeclineClass::ExpiredCard => "انتهت صلاحية هذه البطاقة.",
        DeclineClass::AuthenticationRequired => "لم يتمكن البنك من التأكد من أنك أنت من يدفع.",
        DeclineClass::CancelledByPayer => "أوقفتَ الدفع.",
        DeclineClass::ProviderError => "تعذّر تنفيذ الدفع. الخطأ ليس منك.",
        DeclineClass::Generic | DeclineClass::DoNotRetry | DeclineClass::SuspectedFraud => {
            "رفض البنك الدفع ولم يذكر السبب."
        }
    }
}

fn advice(class: DeclineClass) -> &'static str {
    match class.action() {
        Action::FixData => "لم يُخصم أي مبلغ. حاول مرة أخرى وتحقّق مما تُدخله.",
        Action::OtherMethod => "لم يُخصم أي مبلغ. حاول ببطاقة أخرى أو بطريقة دفع أخرى.",
        Action::RetryLater => "لم يُخصم أي مبلغ. حاول بعد بضع دقائق، أو اختر طريقة دفع أخرى.",
        Action::Authenticate => "لم يُخصم أي مبلغ. حاول مرة أخرى وأكّد الدفع لدى البنك.",
        Action::ContactBank => "لم يُخصم أي مبلغ. جرّب بطاقة أخرى أو اسأل البنك.",
        Action::Choose => "لم يُخصم أي مبلغ. اختر كيف تودّ أن تدفع.",
    }
}

fn notice(notice: Notice) -> &'static str {
    match notice {
        Notice::MethodUnavailable => "طريقة الدفع هذه غير متاحة هنا. يُرجى اختيار طريقة أخرى.",
        Notice::ProviderUnreachable => "تعذّر الوصول إلى مزوّد خدمة الدفع. لم يُخصم أي مبلغ. يُرجى المحاولة بعد لحظات.",
        Notice::ProviderRefused => "لم يفتح مزوّد خدمة الدفع عملية الدفع. لم يُخصم أي مبلغ. يُرجى اختيار طريقة دفع أخرى.",
        Notice::Cancelled => "أُوقف الدفع. لم يُخصم أي مبلغ.",
        Notice::Extended => "لديك الآن مزيد من الوقت.",
        Notice::NotExtendable => "لا يمكن تمديد وقت صفحة الدفع هذه.",
    }
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Card => "بطاقة",
        Method::BankDebit => "خصم مباشر من الحساب",
    }
}

fn method_hint(method: Method) -> &'static str {
    match method {
        Method::Card => "بطاقة ائتمان أو خصم",
        Method::BankDebit => "من حسابك البنكي، ويستغرق بضعة أيام",
    }
}

fn problem(problem: Problem) -> (&'static str, &'static str) {
    match problem {
        Problem::NotFound => ("لا يوجد شيء هنا", "تحقّق من العنوان، أو اطلب رابطًا جديدًا من التاجر."),
        Problem::NotOpened => (
            "لحظة من فضلك",
            "تعذّر فتح رابط الدفع الآن. لم تبدأ أي عملية دفع في هذه الزيارة. إذا سبق أن دفعت عبر هذا الرابط فانتظر حتى يُفتح: فهو يعرض ما آلت إليه الدفعة.",
        ),
        Problem::Unsure => (
            "لا يمكننا عرض دفعتك الآن",
            "نحن نتحقق، لكننا لا نعرف بعد حالة دفعتك. لا تدفع مرة أخرى. ستعرضها هذه الصفحة حالما نعرف، ويمكنك أيضًا العودة إليها لاحقًا.",
        ),
        Problem::Setback => (
            "ربما لم تصل خطوتك الأخيرة",
            "الخلل من جانبنا، لذلك لا نعرف هل بدأ شيء. لا تدفع مرة أخرى قبل أن تعرض صفحة الدفع حالة دفعتك. عُد إليها بعد لحظة: إذا كانت خطوتك الأخيرة ما زالت متاحة هناك، فيمكنك محاولتها مرة أخرى.",
        ),
        Problem::Busy => ("لحظة من فضلك", "الخادم مشغول الآن. يُرجى المحاولة مرة أخرى بعد بضع ثوانٍ."),
        Problem::BadRequest => ("لم ينجح ذلك", "تعذّرت قراءة الطلب فلم يُنفَّذ. ارجع لترى حالة دفعتك."),
        Problem::Forbidden => ("هذا غير مسموح", "جاء الطلب من موقع آخر فلم يُنفَّذ. افتح رابط الدفع مرة أخرى."),
        Problem::TooMany => (
            "محاولات كثيرة",
            "وردت طلبات كثيرة في وقت قصير، لذلك لم يُنفَّذ هذا الطلب. يُرجى الانتظار دقيقة قبل المحاولة مرة أخرى.",
        ),
        Problem::Internal => (
            "حدث خطأ ما",
            "الخطأ من جانبنا. يُرجى المحاولة مرة أخرى بعد بضع دقائق. لمعرفة حالة دفعة ما، افتح رابطها مرة أخرى.",
        ),
    }
}
